import Metering
import Pricing

/// What writes records, charges and rejected records.
struct RecordStatements: ~Copyable {
    /// The longest text that is kept of a field outside rating, in bytes.
    private static let textByteLimit = 1_024
    /// The most that is kept of a rejected record, in bytes.
    private static let rejectedByteLimit = 16_384

    private let insertRecord: SQLiteStatement
    private let findSame: SQLiteStatement
    private let deleteRecord: SQLiteStatement
    private let insertCharge: SQLiteStatement
    private let insertTierCharge: SQLiteStatement
    private let insertRejected: SQLiteStatement

    init(_ connection: borrowing SQLiteConnection) throws(SQLiteFailure) {
        // Locals first: a struct that owns handles cannot be left half made.
        let columns =
            LedgerSchema.ratedColumns + LedgerSchema.furtherTexts.map { "\"\($0)\"" }
            + LedgerSchema.furtherNumbers + ["entry_id", "received_at_ms"]
        let insertRecord = try connection.prepare(
            "INSERT INTO records (\(columns.joined(separator: ", "))) "
                + "VALUES (\(Self.parameters(columns.count))) "
                + "ON CONFLICT (record_id) DO NOTHING RETURNING number"
        )
        let same = LedgerSchema.ratedColumns.enumerated().map { "\($1) IS ?\($0 + 1)" }
        let findSame = try connection.prepare(
            "SELECT 1 FROM records WHERE \(same.joined(separator: " AND "))"
        )
        let deleteRecord = try connection.prepare("DELETE FROM records WHERE number = ?")
        let insertCharge = try connection.prepare(
            "INSERT INTO charges VALUES (\(Self.parameters(15)))"
        )
        let insertTierCharge = try connection.prepare(
            "INSERT INTO tier_charges VALUES (\(Self.parameters(7)))"
        )
        let insertRejected = try connection.prepare(
            "INSERT INTO rejected (entry_id, received_at_ms, record_id, reason, field, fields) "
                + "VALUES (\(Self.parameters(6))) ON CONFLICT DO NOTHING"
        )
        self.insertRecord = insertRecord
        self.findSame = findSame
        self.deleteRecord = deleteRecord
        self.insertCharge = insertCharge
        self.insertTierCharge = insertTierCharge
        self.insertRejected = insertRejected
    }

    /// Stores the record.
    ///
    /// - Returns: its number; nil when its id is taken.
    func insert(_ rated: RatedRecord) throws(SQLiteFailure) -> Int64? {
        let fields = rated.delivered.fields
        var next = try bind(rated.record, to: insertRecord)
        for name in LedgerSchema.furtherTexts {
            try insertRecord.bind(fields[name]?.cut(to: Self.textByteLimit), at: next)
            next += 1
        }
        for name in LedgerSchema.furtherNumbers {
            try insertRecord.bind(fields[name].flatMap(Self.number), at: next)
            next += 1
        }
        try insertRecord.bind(rated.delivered.entryID, at: next)
        try insertRecord.bind(rated.delivered.receivedAtMilliseconds, at: next + 1)
        let number = try insertRecord.step() ? insertRecord.integer(0) : nil
        try insertRecord.run()
        return number
    }

    /// Whether the record that has this id is the same in all that rating reads.
    func isStored(_ record: MeterRecord) throws(SQLiteFailure) -> Bool {
        defer { findSame.reset() }
        _ = try bind(record, to: findSame)
        return try findSame.step()
    }

    /// Takes back a record that has no charge yet.
    func delete(number: Int64) throws(SQLiteFailure) {
        try deleteRecord.bind(number, at: 1)
        try deleteRecord.run()
    }

    func insertCharge(_ rated: RatedRecord, number: Int64) throws(SQLiteFailure) {
        try insertCharge.bind(number, at: 1)
        try insertCharge.bind(rated.record.accountID, at: 2)
        try insertCharge.bind(rated.period.description, at: 3)
        try insertCharge.bind(rated.provider, at: 4)
        try insertCharge.bind(rated.isLate ? 1 : 0, at: 5)
        try insertCharge.bind(rated.priceListVersion, at: 6)
        let parts = rated.charge.components
        let amounts = [
            parts.streamTime, parts.streamBytes, parts.bandwidthPremium, parts.tokensIn,
            parts.tokensOut, parts.infraBase, parts.infraTime, parts.subtotal,
        ]
        for (index, amount) in amounts.enumerated() {
            try insertCharge.bind(amount.nanodollars, at: Int32(7 + index))
        }
        let breaches = rated.charge.breaches.map(\.rawValue).joined(separator: " ")
        try insertCharge.bind(breaches, at: 15)
        try insertCharge.run()
        try insertTiers(rated.charge, number: number)
    }

    private func insertTiers(_ charge: Charge, number: Int64) throws(SQLiteFailure) {
        for (tier, rated) in charge.tiers.enumerated() {
            try insertTierCharge.bind(number, at: 1)
            try insertTierCharge.bind(Int64(tier), at: 2)
            try insertTierCharge.bind(rated.discountBasisPoints, at: 3)
            try insertTierCharge.bind(rated.discount.nanodollars, at: 4)
            try insertTierCharge.bind(rated.net.nanodollars, at: 5)
            try insertTierCharge.bind(rated.penalty.nanodollars, at: 6)
            try insertTierCharge.bind(rated.charge.nanodollars, at: 7)
            try insertTierCharge.run()
        }
    }

    /// Notes a record that is not billed; noting it again changes nothing.
    func insertRejected(
        _ delivered: DeliveredRecord,
        _ rejection: RecordRejection
    ) throws(SQLiteFailure) {
        let recordID = delivered.fields["record_id"] ?? ""
        try insertRejected.bind(delivered.entryID, at: 1)
        try insertRejected.bind(delivered.receivedAtMilliseconds, at: 2)
        try insertRejected.bind(recordID.cut(to: Self.textByteLimit), at: 3)
        try insertRejected.bind(rejection.reason.rawValue, at: 4)
        try insertRejected.bind(rejection.field, at: 5)
        try insertRejected.bind(Self.text(of: delivered.fields), at: 6)
        try insertRejected.run()
    }

    /// Binds what rating read, in the order of `LedgerSchema.ratedColumns`.
    ///
    /// - Returns: the next parameter.
    private func bind(
        _ record: MeterRecord,
        to statement: borrowing SQLiteStatement
    ) throws(SQLiteFailure) -> Int32 {
        try statement.bind(record.recordID, at: 1)
        try statement.bind(record.accountID, at: 2)
        try statement.bind(record.connectionID, at: 3)
        try statement.bind(record.segment, at: 4)
        try statement.bind(record.model, at: 5)
        try statement.bind(record.endedAtMilliseconds, at: 6)
        try statement.bind(record.durationMilliseconds, at: 7)
        try statement.bind(record.bytesOut, at: 8)
        try statement.bind(record.inputTokens, at: 9)
        try statement.bind(record.outputTokens, at: 10)
        try statement.bind(record.downtimeMilliseconds, at: 11)
        try statement.bind(record.busyMilliseconds, at: 12)
        try statement.bind(record.latencyMicroseconds, at: 13)
        try statement.bind(record.slaExclusion.map { $0 ? 1 : 0 }, at: 14)
        return 15
    }

    private static func parameters(_ count: Int) -> String {
        repeatElement("?", count: count).joined(separator: ", ")
    }

    private static func number(_ text: String) -> Int64? {
        guard case .number(let number) = IntegerText(text) else { return nil }
        return number
    }

    /// The fields as lines `name=value` in the order of their names, cut where they are too long.
    private static func text(of fields: [String: String]) -> String {
        var text = ""
        for (name, value) in fields.sorted(by: { $0.key < $1.key }) {
            guard text.utf8.count < rejectedByteLimit else { break }
            text += "\(name)=\(value)\n"
        }
        return text.cut(to: rejectedByteLimit)
    }
}

extension String {
    /// The text, or its beginning of at most so many bytes.
    fileprivate func cut(to byteLimit: Int) -> String {
        guard utf8.count > byteLimit else { return self }
        return String(decoding: utf8.prefix(byteLimit), as: UTF8.self)
    }
}
