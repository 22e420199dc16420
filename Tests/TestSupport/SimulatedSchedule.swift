/// A heap of numbered actions by time; at the same time in the order of `tie`.
///
/// Its entries hold no references, so that moving them costs little in debug builds too.
struct SimulatedSchedule {
    struct Entry {
        let time: Int64
        let tie: UInt64
        let action: Int32

        func isBefore(_ other: Self) -> Bool {
            time != other.time ? time < other.time : tie < other.tie
        }
    }

    private var entries: [Entry] = []

    var isEmpty: Bool { entries.isEmpty }
    var nextTime: Int64? { entries.first?.time }

    mutating func insert(_ entry: Entry) {
        entries.append(entry)
        var position = entries.count - 1
        while position > 0 {
            let parent = (position - 1) / 2
            guard entry.isBefore(entries[parent]) else { break }
            entries[position] = entries[parent]
            position = parent
        }
        entries[position] = entry
    }

    mutating func popFirst() -> Entry? {
        guard let first = entries.first, let last = entries.popLast() else { return nil }
        let count = entries.count
        guard count > 0 else { return first }
        var position = 0
        while true {
            var child = 2 * position + 1
            guard child < count else { break }
            if child + 1 < count, entries[child + 1].isBefore(entries[child]) { child += 1 }
            guard entries[child].isBefore(last) else { break }
            entries[position] = entries[child]
            position = child
        }
        entries[position] = last
        return first
    }
}
