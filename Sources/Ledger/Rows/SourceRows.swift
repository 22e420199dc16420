import Metering
import Pricing

/// A record that is not billed, with the reason and all that it said.
struct RejectedRow: LedgerRow {
    /// The most that is kept of a rejected record, in bytes.
    private static let byteLimit = 16_384
    private static let idByteLimit = 1_024

    static let table = LedgerTable(
        "rejected",
        key: ["number"],
        columns: [
            .integer("number"), .text("entry_id"), .integer("received_at_ms"), .text("record_id"),
            .text("reason"), .text("field"), .text("fields"),
        ],
        indexes: [
            LedgerIndex(
                "rejected_once",
                on: ["entry_id", "record_id", "reason"],
                isUnique: true
            )
        ],
        isSealed: true
    )

    let number: Int64
    let entryID: String
    let receivedAtMilliseconds: Int64
    let recordID: String
    let reason: String
    let field: String
    /// Lines `name=value` in the order of the names, cut where they are too long.
    let fields: String

    init(_ delivered: DeliveredRecord, _ rejection: RecordRejection, number: Int64) {
        self.number = number
        entryID = delivered.entryID
        receivedAtMilliseconds = delivered.receivedAtMilliseconds
        recordID = (delivered.fields["record_id"] ?? "").cut(to: Self.idByteLimit)
        reason = rejection.reason.rawValue
        field = rejection.field
        var text = ""
        for (name, value) in delivered.fields.sorted(by: { $0.key < $1.key }) {
            guard text.utf8.count < Self.byteLimit else { break }
            text += "\(name)=\(value)\n"
        }
        fields = text.cut(to: Self.byteLimit)
    }

    init(_ reader: inout RowReader) throws(LedgerFailure) {
        number = try reader.integer()
        entryID = try reader.text()
        receivedAtMilliseconds = try reader.integer()
        recordID = try reader.text()
        reason = try reader.text()
        field = try reader.text()
        fields = try reader.text()
    }

    var values: [LedgerValue] {
        [
            .integer(number), .text(entryID), .integer(receivedAtMilliseconds),
            LedgerValue(recordID), .text(reason), .text(field), LedgerValue(fields),
        ]
    }
}

/// Which record numbers of a run of a gateway are stored or set aside: more than one row of a run,
/// or one that does not begin at 1, names what is missing.
struct SequenceRow: LedgerRow {
    static let table = LedgerTable(
        "sequences",
        key: ["gateway", "epoch", "first"],
        columns: [.text("gateway"), .integer("epoch"), .integer("first"), .integer("last")],
        isSealed: true
    )

    let run: GatewayRun
    let range: ClosedRange<Int64>

    init(_ run: GatewayRun, _ range: ClosedRange<Int64>) {
        self.run = run
        self.range = range
    }

    init(_ reader: inout RowReader) throws(LedgerFailure) {
        run = GatewayRun(gateway: try reader.text(), epoch: try reader.integer())
        let first = try reader.integer()
        let last = try reader.integer()
        guard first <= last else { throw .damaged("sequences: \(first) to \(last) is no range") }
        range = first...last
    }

    var values: [LedgerValue] {
        run.values + [.integer(range.lowerBound), .integer(range.upperBound)]
    }
}

/// One run of a gateway.
struct GatewayRun: Hashable, Comparable {
    let gateway: String
    let epoch: Int64

    var values: [LedgerValue] { [.text(gateway), .integer(epoch)] }

    static func < (left: Self, right: Self) -> Bool {
        (left.gateway, left.epoch) < (right.gateway, right.epoch)
    }
}

/// A price list that records were rated by, or will be.
struct PriceListRow: LedgerRow {
    static let table = LedgerTable(
        "price_lists",
        key: ["version"],
        columns: [
            .text("version"), .integer("effective_from_ms").optional, .text("sha256"),
            .text("body"), .integer("added_at_ms"),
        ],
        isSealed: true
    )

    let version: String
    /// Nil: from the beginning.
    let effectiveFromMilliseconds: Int64?
    /// Of the body, in hexadecimal.
    let sha256: String
    /// The list as JSON, its keys in the order of their names.
    let body: String
    let addedAtMilliseconds: Int64

    init(_ list: PriceList, sha256: String, at milliseconds: Int64) {
        version = list.version
        let from = list.effectiveFrom.milliseconds
        effectiveFromMilliseconds = from == .min ? nil : from
        self.sha256 = sha256
        body = list.text
        addedAtMilliseconds = milliseconds
    }

    init(_ reader: inout RowReader) throws(LedgerFailure) {
        version = try reader.text()
        effectiveFromMilliseconds = try reader.optionalInteger()
        sha256 = try reader.text()
        body = try reader.text()
        addedAtMilliseconds = try reader.integer()
    }

    var values: [LedgerValue] {
        [
            LedgerValue(version), LedgerValue(effectiveFromMilliseconds), .text(sha256),
            LedgerValue(body), .integer(addedAtMilliseconds),
        ]
    }
}
