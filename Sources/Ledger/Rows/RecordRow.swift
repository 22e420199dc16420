import Metering
import Pricing

/// A meter record as it was accepted.
struct RecordRow: LedgerRow {
    /// The longest text that is kept of a field outside rating, in bytes.
    private static let textByteLimit = 1_024

    /// What rating read of a record; two records with one id are the same if all of these are.
    static let ratedColumns: [LedgerColumn] = [
        .text("record_id"), .text("account_id"), .text("connection_id"), .integer("segment"),
        .text("model"), .integer("ended_at_ms"), .integer("duration_ms"), .integer("bytes_out"),
        .integer("input_tokens"), .integer("output_tokens"), .integer("downtime_ms"),
        .integer("busy_ms"), .integer("latency_us").optional, .integer("sla_excluded").optional,
    ]

    /// Fields of a record that are kept as texts, where they are there.
    static let furtherTexts = [
        "gateway", "key_id", "user", "purpose", "provider", "usage_source", "coding", "sealing",
        "end",
    ]

    /// Fields of a record that are kept as numbers, where they are there and are numbers.
    static let furtherNumbers = [
        "epoch", "seq", "started_at_ms", "events", "bytes_raw", "ttft_us", "latency_min_us",
        "latency_p95_us", "latency_p99_us", "latency_max_us", "stall_provider_ms",
        "stall_client_ms", "cached_input_tokens", "cache_write_tokens", "reasoning_tokens",
        "estimated", "attempts", "rtt_us", "retransmits", "lost",
    ]

    static let table = LedgerTable(
        "records",
        key: ["number"],
        columns: [.integer("number")] + ratedColumns
            + furtherTexts.map { LedgerColumn.text($0).optional }
            + furtherNumbers.map { LedgerColumn.integer($0).optional }
            + [.text("entry_id"), .integer("received_at_ms")],
        indexes: [
            LedgerIndex("records_of_id", on: ["record_id"], isUnique: true),
            LedgerIndex("records_in_time", on: ["ended_at_ms"]),
        ],
        isSealed: true
    )

    let number: Int64
    let record: MeterRecord
    /// In the order of `furtherTexts`.
    let texts: [String?]
    /// In the order of `furtherNumbers`.
    let numbers: [Int64?]
    let entryID: String
    let receivedAtMilliseconds: Int64

    init(_ rated: RatedRecord, number: Int64) {
        let fields = rated.delivered.fields
        self.number = number
        record = rated.record
        texts = Self.furtherTexts.map { fields[$0]?.cut(to: Self.textByteLimit) }
        numbers = Self.furtherNumbers.map { fields[$0].flatMap(Self.number) }
        entryID = rated.delivered.entryID
        receivedAtMilliseconds = rated.delivered.receivedAtMilliseconds
    }

    init(_ reader: inout RowReader) throws(LedgerFailure) {
        number = try reader.integer()
        record = try MeterRecord(&reader)
        var texts: [String?] = []
        for _ in Self.furtherTexts { texts.append(try reader.optionalText()) }
        self.texts = texts
        var numbers: [Int64?] = []
        for _ in Self.furtherNumbers { numbers.append(try reader.optionalInteger()) }
        self.numbers = numbers
        entryID = try reader.text()
        receivedAtMilliseconds = try reader.integer()
    }

    var values: [LedgerValue] {
        var values: [LedgerValue] = []
        values.reserveCapacity(Self.table.columns.count)
        values.append(.integer(number))
        record.append(to: &values)
        for text in texts { values.append(LedgerValue(text)) }
        for number in numbers { values.append(LedgerValue(number)) }
        values.append(.text(entryID))
        values.append(.integer(receivedAtMilliseconds))
        return values
    }

    /// A further field's text; nil where it was not there.
    func text(_ name: String) -> String? {
        Self.furtherTexts.firstIndex(of: name).flatMap { texts[$0] }
    }

    /// A further field's number; nil where it was not there.
    func number(_ name: String) -> Int64? {
        Self.furtherNumbers.firstIndex(of: name).flatMap { numbers[$0] }
    }

    private static func number(_ text: String) -> Int64? {
        guard case .number(let number) = IntegerText(text) else { return nil }
        return number
    }
}

extension MeterRecord {
    /// Reads the columns of `RecordRow.ratedColumns`.
    init(_ reader: inout RowReader) throws(LedgerFailure) {
        self.init(
            recordID: try reader.text(),
            accountID: try reader.text(),
            connectionID: try reader.text(),
            segment: try reader.integer(),
            model: try reader.text(),
            endedAtMilliseconds: try reader.integer(),
            durationMilliseconds: try reader.integer(),
            bytesOut: try reader.integer(),
            inputTokens: try reader.integer(),
            outputTokens: try reader.integer(),
            downtimeMilliseconds: try reader.integer(),
            busyMilliseconds: try reader.integer(),
            latencyMicroseconds: try reader.optionalInteger(),
            slaExclusion: try reader.optionalInteger().map { $0 != 0 }
        )
    }

    fileprivate func append(to values: inout [LedgerValue]) {
        values.append(.text(recordID))
        values.append(.text(accountID))
        values.append(.text(connectionID))
        values.append(.integer(segment))
        values.append(.text(model))
        values.append(.integer(endedAtMilliseconds))
        values.append(.integer(durationMilliseconds))
        values.append(.integer(bytesOut))
        values.append(.integer(inputTokens))
        values.append(.integer(outputTokens))
        values.append(.integer(downtimeMilliseconds))
        values.append(.integer(busyMilliseconds))
        values.append(LedgerValue(latencyMicroseconds))
        values.append(LedgerValue(slaExclusion.map { $0 ? 1 : 0 }))
    }
}

extension String {
    /// The text, or its beginning of at most so many bytes.
    func cut(to byteLimit: Int) -> String {
        guard utf8.count > byteLimit else { return self }
        return String(decoding: utf8.prefix(byteLimit), as: UTF8.self)
    }
}
