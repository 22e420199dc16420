import Metering
import Pricing

/// A stream: what its records say of it together, whatever the order of their arrival.
struct StreamRow: FrequentRow, Equatable {
    static let table = LedgerTable(
        "streams",
        key: ["number"],
        columns: [
            .integer("number"), .text("account_id"), .text("connection_id"),
            .text("key_id").optional,
            .text("user").optional, .text("model"), .text("provider").optional,
            .text("purpose").optional, .integer("started_at_ms"),
            .integer("first_token_us").optional, .integer("ended_at_ms"), .text("end").optional,
            .integer("first_segment"), .integer("last_segment"), .integer("records"),
            .integer("input_tokens"), .integer("output_tokens"), .integer("bytes_out"),
        ],
        indexes: [
            LedgerIndex(
                "streams_of_connection",
                on: ["connection_id", "account_id"],
                isUnique: true
            ),
            LedgerIndex("streams_of_model", on: ["model"]),
            LedgerIndex("streams_of_purpose", on: ["purpose"]),
            LedgerIndex("streams_of_end", on: ["end"]),
        ]
    )

    /// That of the record that came first.
    let number: Int64
    let key: StreamKey
    private(set) var keyID: String?
    private(set) var user: String?
    private(set) var model: String
    private(set) var provider: String?
    private(set) var purpose: String?
    private(set) var startedAtMilliseconds: Int64
    /// From the start to the first token.
    private(set) var firstTokenMicroseconds: Int64?
    private(set) var endedAtMilliseconds: Int64
    private(set) var end: String?
    private(set) var firstSegment: Int64
    private(set) var lastSegment: Int64
    private(set) var records: Int64
    private(set) var inputTokens: Int64
    private(set) var outputTokens: Int64
    private(set) var bytesOut: Int64

    /// A stream of one record.
    init(_ row: RecordRow) {
        let record = row.record
        number = row.number
        key = StreamKey(record)
        keyID = row.keyID
        user = row.user
        model = record.model
        provider = row.provider
        purpose = row.purpose
        let duration = record.endedAtMilliseconds - record.durationMilliseconds
        startedAtMilliseconds = row.startedAtMilliseconds ?? duration
        firstTokenMicroseconds = row.firstTokenMicroseconds
        endedAtMilliseconds = record.endedAtMilliseconds
        end = row.end
        firstSegment = record.segment
        lastSegment = record.segment
        records = 1
        inputTokens = record.inputTokens
        outputTokens = record.outputTokens
        bytesOut = record.bytesOut
    }

    /// What `init(record:)` reads of a row of `records`.
    static let recordColumns = [
        "number", "account_id", "connection_id", "segment", "model", "ended_at_ms", "duration_ms",
        "bytes_out", "input_tokens", "output_tokens", "key_id", "user", "purpose", "provider",
        "end", "started_at_ms", "ttft_us",
    ]

    /// A stream of one record, from `recordColumns`.
    init(record reader: inout RowReader) throws(LedgerFailure) {
        number = try reader.integer()
        key = StreamKey(account: try reader.text(), connection: try reader.text())
        firstSegment = try reader.integer()
        lastSegment = firstSegment
        model = try reader.text()
        endedAtMilliseconds = try reader.integer()
        let duration = try reader.integer()
        bytesOut = try reader.integer()
        inputTokens = try reader.integer()
        outputTokens = try reader.integer()
        keyID = try reader.optionalText()
        user = try reader.optionalText()
        purpose = try reader.optionalText()
        provider = try reader.optionalText()
        end = try reader.optionalText()
        startedAtMilliseconds = try reader.optionalInteger() ?? endedAtMilliseconds - duration
        firstTokenMicroseconds = try reader.optionalInteger()
        records = 1
    }

    /// Adds a record: the one with the lowest segment says what the stream is, the one with the
    /// highest how it ended.
    ///
    /// Of two with one segment, which no gateway writes, the first that arrived decides.
    mutating func add(_ other: StreamRow) {
        if other.firstSegment < firstSegment {
            keyID = other.keyID
            user = other.user
            model = other.model
            provider = other.provider
            purpose = other.purpose
            firstSegment = other.firstSegment
        }
        if other.lastSegment > lastSegment {
            endedAtMilliseconds = other.endedAtMilliseconds
            end = other.end
            lastSegment = other.lastSegment
        }
        startedAtMilliseconds = min(startedAtMilliseconds, other.startedAtMilliseconds)
        if let token = other.firstTokenMicroseconds {
            firstTokenMicroseconds = min(token, firstTokenMicroseconds ?? token)
        }
        records += other.records
        inputTokens = inputTokens.clampedSum(other.inputTokens)
        outputTokens = outputTokens.clampedSum(other.outputTokens)
        bytesOut = bytesOut.clampedSum(other.bytesOut)
    }

    init(_ reader: inout RowReader) throws(LedgerFailure) {
        number = try reader.integer()
        key = StreamKey(account: try reader.text(), connection: try reader.text())
        keyID = try reader.optionalText()
        user = try reader.optionalText()
        model = try reader.text()
        provider = try reader.optionalText()
        purpose = try reader.optionalText()
        startedAtMilliseconds = try reader.integer()
        firstTokenMicroseconds = try reader.optionalInteger()
        endedAtMilliseconds = try reader.integer()
        end = try reader.optionalText()
        firstSegment = try reader.integer()
        lastSegment = try reader.integer()
        records = try reader.integer()
        inputTokens = try reader.integer()
        outputTokens = try reader.integer()
        bytesOut = try reader.integer()
    }

    func write(to row: inout RowBytes) {
        row.append(number)
        row.append(key.account)
        row.append(key.connection)
        row.append(anyText: keyID)
        row.append(anyText: user)
        row.append(model)
        row.append(anyText: provider)
        row.append(anyText: purpose)
        row.append(startedAtMilliseconds)
        row.append(firstTokenMicroseconds)
        row.append(endedAtMilliseconds)
        row.append(anyText: end)
        row.append(firstSegment)
        row.append(lastSegment)
        row.append(records)
        row.append(inputTokens)
        row.append(outputTokens)
        row.append(bytesOut)
    }
}

struct StreamKey: Hashable {
    let account: String
    let connection: String

    init(account: String, connection: String) {
        self.account = account
        self.connection = connection
    }

    init(_ record: MeterRecord) {
        account = record.accountID
        connection = record.connectionID
    }

    var values: [LedgerValue] { [.text(account), .text(connection)] }
}

extension Int64 {
    fileprivate func clampedSum(_ other: Int64) -> Int64 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? .max : sum
    }
}
