import Metering
import Pricing

/// A meter record as it was accepted.
struct RecordRow: FrequentRow {
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

    func write(to row: inout RowBytes) {
        row.append(number)
        record.write(to: &row)
        for text in texts { row.append(anyText: text) }
        for number in numbers { row.append(number) }
        row.append(entryID)
        row.append(receivedAtMilliseconds)
    }

    // Further fields; nil where they were not there.
    var keyID: String? { texts[Place.keyID] }
    var user: String? { texts[Place.user] }
    var purpose: String? { texts[Place.purpose] }
    var provider: String? { texts[Place.provider] }
    var end: String? { texts[Place.end] }
    var startedAtMilliseconds: Int64? { numbers[Place.startedAt] }
    var firstTokenMicroseconds: Int64? { numbers[Place.firstToken] }

    /// Where single fields stand among the further ones.
    private enum Place {
        static let keyID = text("key_id")
        static let user = text("user")
        static let purpose = text("purpose")
        static let provider = text("provider")
        static let end = text("end")
        static let startedAt = number("started_at_ms")
        static let firstToken = number("ttft_us")

        private static func text(_ name: String) -> Int { place(of: name, in: furtherTexts) }
        private static func number(_ name: String) -> Int { place(of: name, in: furtherNumbers) }

        private static func place(of name: String, in names: [String]) -> Int {
            guard let place = names.firstIndex(of: name) else {
                preconditionFailure("\(name) is a further field")
            }
            return place
        }
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

    fileprivate func write(to row: inout RowBytes) {
        row.append(recordID)
        row.append(accountID)
        row.append(connectionID)
        row.append(segment)
        row.append(model)
        row.append(endedAtMilliseconds)
        row.append(durationMilliseconds)
        row.append(bytesOut)
        row.append(inputTokens)
        row.append(outputTokens)
        row.append(downtimeMilliseconds)
        row.append(busyMilliseconds)
        row.append(latencyMicroseconds)
        row.append(slaExclusion.map { $0 ? 1 : 0 })
    }
}

extension String {
    /// The text, or its beginning of at most so many bytes.
    func cut(to byteLimit: Int) -> String {
        guard utf8.count > byteLimit else { return self }
        return String(decoding: utf8.prefix(byteLimit), as: UTF8.self)
    }
}
