import Pricing

/// The head of an account: locked by whoever books for it, and the end of its chain of events.
struct AccountRow: LedgerRow {
    static let table = LedgerTable(
        "accounts",
        key: ["account_id"],
        columns: [
            .text("account_id"), .integer("batches"), .integer("events"),
            LedgerColumn("chain", .bytes),
        ],
        isSealed: true
    )

    let id: String
    /// How many batches booked for it: who remembers its totals sees whether they still hold.
    var batches: Int64 = 0
    /// How many events the account has.
    private(set) var events: Int64 = 0
    /// The seal of the last one; empty while there is none.
    private(set) var chain: [UInt8] = []

    init(id: String) { self.id = id }

    init(_ reader: inout RowReader) throws(LedgerFailure) {
        id = try reader.text()
        batches = try reader.integer()
        events = try reader.integer()
        chain = try reader.bytes()
    }

    var values: [LedgerValue] { [.text(id), .integer(batches), .integer(events), .bytes(chain)] }

    /// Appends an event to the account's chain.
    mutating func append(
        _ event: LedgerEvent,
        number: Int64,
        to rows: inout LedgerRows,
        _ sealer: RowSealer
    ) {
        events += 1
        let row = EventRow(event, number: number, account: id, accountNumber: events)
        chain = rows.append(row, sealer, after: chain)
    }
}

/// Something that happened and is never taken back.
package struct LedgerEvent: Equatable, Sendable {
    package enum Kind: String, Sendable {
        case streamOpened = "stream_opened"
        case streamClosed = "stream_closed"
        case priceListAdded = "price_list_added"
        case periodClosed = "period_closed"
        case keyAdded = "key_added"
        case keyRemoved = "key_removed"
        case configurationLoaded = "configuration_loaded"
        case configurationReloaded = "configuration_reloaded"
    }

    package let kind: Kind
    package let atMilliseconds: Int64
    /// What it happened to: a stream, a key, a period.
    package let subject: String
    package let detail: String

    package init(_ kind: Kind, at milliseconds: Int64, subject: String, detail: String) {
        self.kind = kind
        atMilliseconds = milliseconds
        self.subject = subject
        self.detail = detail
    }
}

/// An event in the chain of its account; the seal of each covers the one before it.
struct EventRow: FrequentRow {
    static let table = LedgerTable(
        "events",
        key: ["number"],
        columns: [
            .integer("number"), .text("account_id"), .integer("account_number"),
            .integer("at_ms"), .text("kind"),
            .text("subject"), .text("detail"),
        ],
        isSealed: true
    )

    let number: Int64
    let account: String
    /// From 1, without gaps within the account.
    let accountNumber: Int64
    let atMilliseconds: Int64
    let kind: String
    let subject: String
    let detail: String

    init(_ event: LedgerEvent, number: Int64, account: String, accountNumber: Int64) {
        self.number = number
        self.account = account
        self.accountNumber = accountNumber
        atMilliseconds = event.atMilliseconds
        kind = event.kind.rawValue
        subject = event.subject
        detail = event.detail
    }

    init(_ reader: inout RowReader) throws(LedgerFailure) {
        number = try reader.integer()
        account = try reader.text()
        accountNumber = try reader.integer()
        atMilliseconds = try reader.integer()
        kind = try reader.text()
        subject = try reader.text()
        detail = try reader.text()
    }

    func write(to row: inout RowBytes) {
        row.append(number)
        row.append(account)
        row.append(accountNumber)
        row.append(atMilliseconds)
        row.append(kind)
        row.append(anyText: subject)
        row.append(anyText: detail)
    }
}

/// Something that somebody wants to be told, once.
struct AlertRow: LedgerRow {
    static let table = LedgerTable(
        "alerts",
        key: ["account_id", "period", "rule", "limit", "repetition", "level", "raised_at_ms"],
        columns: [
            .text("account_id"), .text("period"), .text("rule"), .text("limit"),
            .integer("repetition"), .integer("level"), .integer("raised_at_ms"),
            .text("severity"), .text("subject"), .text("message"),
            .integer("cleared_at_ms").optional,
        ],
        indexes: [LedgerIndex("alerts_in_time", on: ["raised_at_ms"])],
        isSealed: true
    )

    let key: PeriodKey
    let rule: String
    let limit: String
    let repetition: Int64
    /// Percent of the limit.
    let level: Int64
    let raisedAtMilliseconds: Int64
    let severity: String
    /// The record that raised it, where one did.
    let subject: String
    let message: String
    let clearedAtMilliseconds: Int64?

    /// A share of a quota that was reached.
    init(_ alert: QuotaAlert, of key: PeriodKey, at milliseconds: Int64) {
        self.key = key
        let quota = alert.level.quota
        rule = "quota.\(quota.name)"
        limit = quota.limitText
        repetition = Int64(alert.level.repetition)
        level = alert.level.percent
        raisedAtMilliseconds = milliseconds
        severity = alert.level.percent >= 95 ? "critical" : "warning"
        subject = alert.recordID
        message =
            "\(key.account) has used \(level) % of its \(limit) "
            + (quota.name == "tokens" ? "tokens" : "dollars") + " of \(key.period)"
        clearedAtMilliseconds = nil
    }

    init(_ reader: inout RowReader) throws(LedgerFailure) {
        key = PeriodKey(account: try reader.text(), period: try reader.text())
        rule = try reader.text()
        limit = try reader.text()
        repetition = try reader.integer()
        level = try reader.integer()
        raisedAtMilliseconds = try reader.integer()
        severity = try reader.text()
        subject = try reader.text()
        message = try reader.text()
        clearedAtMilliseconds = try reader.optionalInteger()
    }

    var values: [LedgerValue] {
        key.values + [
            .text(rule), .text(limit), .integer(repetition), .integer(level),
            .integer(raisedAtMilliseconds), .text(severity), .text(subject), .text(message),
            LedgerValue(clearedAtMilliseconds),
        ]
    }

    /// Nil for an alert of another kind.
    var quotaLevel: QuotaLevel? {
        guard rule.hasPrefix("quota."),
            let quota = Quota(metric: String(rule.dropFirst(6)), limit: limit)
        else { return nil }
        return QuotaLevel(quota: quota, repetition: Int(repetition), percent: level)
    }
}
