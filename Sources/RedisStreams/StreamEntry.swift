import Metering

/// One entry of a stream, as Redis lists it.
struct StreamEntry {
    let id: String
    /// Nil when the entry was deleted while it was pending.
    let fields: [String: String]?

    /// Reads a list of entries; what has another form is left out.
    static func list(_ value: RedisValue?) -> [StreamEntry] {
        (value?.elements ?? []).compactMap(StreamEntry.init)
    }

    private init?(_ value: RedisValue) {
        guard case .array(let parts) = value, parts.count == 2, let id = parts[0].text else {
            return nil
        }
        self.id = id
        guard case .array(let words) = parts[1] else {
            fields = nil
            return
        }
        var fields: [String: String] = [:]
        for place in stride(from: 0, to: words.count - 1, by: 2) {
            guard let name = words[place].text, let value = words[place + 1].text else { continue }
            if fields[name] == nil { fields[name] = value }
        }
        self.fields = fields
    }

    /// Which record of which run it is; nil where it does not say so properly.
    var origin: (run: String, sequence: Int64)? {
        guard let gateway = fields?["gateway"], let epoch = fields?["epoch"],
            let sequence = fields?["seq"].flatMap({ Int64($0) }), sequence > 0
        else { return nil }
        return ("\(gateway):\(epoch)", sequence)
    }

    var record: DeliveredRecord? {
        guard let fields else { return nil }
        let milliseconds = EntryID(parsing: id)?.milliseconds ?? 0
        return DeliveredRecord(
            entryID: id,
            receivedAtMilliseconds: milliseconds,
            fields: fields
        )
    }
}

/// The id of a stream's entry: a time and a number within it.
struct EntryID: Comparable {
    let milliseconds: Int64
    let number: UInt64

    /// The first id of that millisecond.
    init?(milliseconds: Int64) {
        guard milliseconds >= 0 else { return nil }
        self.milliseconds = milliseconds
        number = 0
    }

    init?(parsing text: String) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, let milliseconds = Int64(parts[0]), milliseconds >= 0,
            let number = UInt64(parts[1])
        else { return nil }
        self.milliseconds = milliseconds
        self.number = number
    }

    var text: String { "\(milliseconds)-\(number)" }

    static func < (left: Self, right: Self) -> Bool {
        (left.milliseconds, left.number) < (right.milliseconds, right.number)
    }
}
