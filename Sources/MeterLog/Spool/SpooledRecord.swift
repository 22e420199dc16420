import Metering

/// A record's frame: the number of its run and its own, then its fields.
enum SpooledRecord {
    private static let prefixByteCount = 16

    static func append(_ record: UsageRecord, to bytes: inout [UInt8]) {
        Frame.append(to: &bytes) { payload in
            payload.append(littleEndian: record.epoch)
            payload.append(littleEndian: record.sequence)
            var rest = record
            rest.epoch = 0
            rest.sequence = 0
            RecordForm.append(rest, to: &payload)
        }
    }

    /// The numbers at the front of a payload; nil when it is too short for them.
    static func numbers(
        _ bytes: [UInt8],
        _ payload: Range<Int>
    ) -> (epoch: Int64, sequence: Int64)? {
        guard payload.count >= prefixByteCount else { return nil }
        let start = payload.lowerBound
        return (
            bytes.littleEndian(Int64.self, at: start), bytes.littleEndian(Int64.self, at: start + 8)
        )
    }

    /// Nil when a payload is no record, or one that this program cannot hand on whole.
    static func read(_ bytes: [UInt8], _ payload: Range<Int>) -> UsageRecord? {
        guard let (epoch, sequence) = numbers(bytes, payload) else { return nil }
        var record = UsageRecord()
        let fields = (payload.lowerBound + prefixByteCount)..<payload.upperBound
        guard RecordForm.read(bytes, fields, into: &record) else { return nil }
        record.epoch = epoch
        record.sequence = sequence
        return record
    }
}
