import MeterLog
import Metering
import StreamBytes

let noon = WallTime(milliseconds: 1_768_478_400_000)

/// A record as a stream makes it, all of it told apart by its number.
func sampleRecord(_ number: Int) -> UsageRecord {
    var record = UsageRecord()
    record.recordID = "s0-abcdefghijklmnopqrstuvwx.\(number)"
    record.accountID = "acme"
    record.connectionID = "s0-abcdefghijklmnopqrstuvwx"
    record.segment = Int64(number)
    record.model = "openai/gpt-4"
    record.provider = "openai"
    record.keyID = "k1"
    record.startedAtMilliseconds = noon.milliseconds
    record.endedAtMilliseconds = noon.milliseconds + Int64(number)
    record.durationMilliseconds = Int64(number)
    record.bytesOut = Int64(number) * 100
    return record
}

extension SegmentLog {
    /// Everything that waits, read in parts.
    mutating func readAll(limit: Int = 7) throws -> [BacklogEntry] {
        var all: [BacklogEntry] = []
        var place: SpoolPlace?
        while true {
            let part = try read(after: place, limit: limit)
            guard !part.entries.isEmpty else { return all }
            all += part.entries
            place = part.place
        }
    }
}

extension [BacklogEntry] {
    /// The numbers of the records, and the lost ones as negative numbers.
    var sequences: [Int64] {
        map { entry in
            switch entry {
            case .record(let record): record.sequence
            case .lost(_, let sequence): -sequence
            }
        }
    }

    var recordIDs: [String] {
        compactMap { entry in
            guard case .record(let record) = entry else { return nil }
            return record.recordID
        }
    }
}
