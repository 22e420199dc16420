import Metering

/// What the last run left in its slots.
package struct LeftSlots {
    /// The records of stretches that were over, and of those that ran.
    package private(set) var records: [UsageRecord] = []
    /// Slots that were in use and cannot be read.
    package private(set) var unreadableCount = 0
    /// Why the whole file is of no use; nil where it is.
    package private(set) var problem: String?

    /// Reads a file's bytes, whatever they are.
    package init(_ bytes: [UInt8], gateway: String) {
        guard let header = SlotHeader(bytes) else {
            // An empty one is left of a start that was cut short.
            let isEmpty = bytes.allSatisfy { $0 == 0 }
            if !isEmpty { problem = "it was not written by this version" }
            return
        }
        guard header.gateway == gateway else {
            problem = "it belongs to the gateway \(header.gateway)"
            return
        }
        for number in 0..<header.slotCount {
            let slot = SlotLayout.slotOffset(number)
            let state = bytes.littleEndian(UInt32.self, at: slot + SlotLayout.stateOffset)
            guard state != SlotState.free.rawValue else { continue }
            let overflow = SlotLayout.overflowOffset(number, slotCount: header.slotCount)
            let reading = SlotReading(
                Array(bytes[slot..<(slot + SlotLayout.slotByteCount)])
                    + Array(bytes[overflow..<(overflow + SlotLayout.overflowByteCount)])
            )
            // A stretch whose counters were never kept had not begun.
            if reading.state == .running, !reading.hasCounters { continue }
            if let record = reading.record {
                records.append(record)
            } else {
                unreadableCount += 1
            }
        }
        keepTokensOfLastStretches()
    }

    /// A process that ended between two stretches leaves both, each with the tokens of the stream.
    private mutating func keepTokensOfLastStretches() {
        let last = Dictionary(
            records.map { ($0.connectionID, $0.segment) },
            uniquingKeysWith: max
        )
        for index in records.indices
        where records[index].end == .interrupted
            && records[index].segment != last[records[index].connectionID]
        {
            records[index].end = .interval
            records[index].usage = nil
            records[index].isUsageEstimated = false
        }
    }
}
