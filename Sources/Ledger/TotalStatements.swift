import Metering
import Pricing
import StreamBytes

/// Whose running total it is.
struct PeriodKey: Hashable {
    let account: String
    let period: String
    let provider: String

    init(of rated: RatedRecord) {
        account = rated.record.accountID
        period = rated.period.description
        provider = rated.provider
    }
}

/// One account's total of one provider's records in one period, and its charge at every tier.
struct PeriodTotal: Equatable {
    var records: Int64 = 0
    var tokens: Int64 = 0
    var bytesOut: Int64 = 0
    var durationMilliseconds: Int64 = 0
    var tier = 0
    var charges: [Int64] = []

    /// The total with one record more; nil when a sum does not fit into 64 bits.
    func adding(_ rated: RatedRecord) -> Self? {
        let record = rated.record
        guard let tokens = tokens.sum(record.tokens), let bytes = bytesOut.sum(record.bytesOut),
            let duration = durationMilliseconds.sum(record.durationMilliseconds)
        else { return nil }
        var total = self
        total.records += 1
        total.tokens = tokens
        total.bytesOut = bytes
        total.durationMilliseconds = duration
        total.tier = rated.tiers.index(reachedBy: tokens)
        for (index, tier) in rated.charge.tiers.enumerated() {
            if index == total.charges.count { total.charges.append(0) }
            guard let sum = total.charges[index].sum(tier.charge.nanodollars) else { return nil }
            total.charges[index] = sum
        }
        return total
    }
}

/// What a day adds; no sum here is larger than its period's, which was checked.
struct DayAddition {
    var charges: [Int64] = []
    var usage: [String: DayUsage] = [:]

    mutating func add(_ rated: RatedRecord) {
        for (index, tier) in rated.charge.tiers.enumerated() {
            if index == charges.count { charges.append(0) }
            charges[index] += tier.charge.nanodollars
        }
        usage[rated.record.model, default: DayUsage()].add(rated.record)
    }
}

struct DayUsage {
    var records: Int64 = 0
    var streams: Int64 = 0
    var inputTokens: Int64 = 0
    var outputTokens: Int64 = 0
    var bytesOut: Int64 = 0
    var durationMilliseconds: Int64 = 0

    mutating func add(_ record: MeterRecord) {
        records += 1
        streams += record.segment == 0 ? 1 : 0
        inputTokens += record.inputTokens
        outputTokens += record.outputTokens
        bytesOut += record.bytesOut
        durationMilliseconds += record.durationMilliseconds
    }
}

/// A batch's changes to the running totals, before they are written.
struct TotalChanges {
    struct DayKey: Hashable {
        let day: String
        let period: PeriodKey
    }

    var periods: [PeriodKey: PeriodTotal] = [:]
    var days: [DayKey: DayAddition] = [:]
}

/// What reads and writes running totals.
struct TotalStatements: ~Copyable {
    private let findPeriod: SQLiteStatement
    private let findCharges: SQLiteStatement
    private let putPeriod: SQLiteStatement
    private let putCharge: SQLiteStatement
    private let addDayCharge: SQLiteStatement
    private let addDayUsage: SQLiteStatement

    init(_ connection: borrowing SQLiteConnection) throws(SQLiteFailure) {
        // Locals first: a struct that owns handles cannot be left half made.
        let findPeriod = try connection.prepare(
            "SELECT records, tokens, bytes_out, duration_ms, tier FROM periods "
                + "WHERE account_id = ?1 AND period = ?2 AND provider = ?3"
        )
        let findCharges = try connection.prepare(
            "SELECT charge_nano FROM period_charges "
                + "WHERE account_id = ?1 AND period = ?2 AND provider = ?3 ORDER BY tier"
        )
        let putPeriod = try connection.prepare(
            "INSERT OR REPLACE INTO periods VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)"
        )
        let putCharge = try connection.prepare(
            "INSERT OR REPLACE INTO period_charges VALUES (?1, ?2, ?3, ?4, ?5)"
        )
        let addDayCharge = try connection.prepare(
            "INSERT INTO day_charges VALUES (?6, ?1, ?2, ?3, ?4, ?5) ON CONFLICT DO UPDATE "
                + "SET charge_nano = charge_nano + excluded.charge_nano"
        )
        let counts = [
            "records", "streams", "input_tokens", "output_tokens", "bytes_out", "duration_ms",
        ].map { "\($0) = \($0) + excluded.\($0)" }
        let addDayUsage = try connection.prepare(
            "INSERT INTO day_usage VALUES (?4, ?1, ?2, ?5, ?6, ?7, ?8, ?9, ?10, ?11) "
                + "ON CONFLICT DO UPDATE SET \(counts.joined(separator: ", "))"
        )
        self.findPeriod = findPeriod
        self.findCharges = findCharges
        self.putPeriod = putPeriod
        self.putCharge = putCharge
        self.addDayCharge = addDayCharge
        self.addDayUsage = addDayUsage
    }

    /// Adds a record to the changes of its batch.
    ///
    /// - Returns: false, and no change, when the period's total would not fit.
    func add(_ rated: RatedRecord, to changes: inout TotalChanges) throws(SQLiteFailure) -> Bool {
        let key = PeriodKey(of: rated)
        var known = changes.periods[key]
        if known == nil { known = try read(key) }
        guard let total = known?.adding(rated) else { return false }
        changes.periods[key] = total
        let ended = WallTime(milliseconds: rated.record.endedAtMilliseconds)
        let day = TotalChanges.DayKey(day: CalendarMonth.dayText(of: ended), period: key)
        changes.days[day, default: DayAddition()].add(rated)
        return true
    }

    func write(_ changes: TotalChanges) throws(SQLiteFailure) {
        for (key, total) in changes.periods { try write(total, of: key) }
        for (key, addition) in changes.days { try write(addition, of: key) }
    }

    private func read(_ key: PeriodKey) throws(SQLiteFailure) -> PeriodTotal {
        defer {
            findPeriod.reset()
            findCharges.reset()
        }
        var total = PeriodTotal()
        try bind(key, to: findPeriod)
        guard try findPeriod.step() else { return total }
        total.records = findPeriod.integer(0)
        total.tokens = findPeriod.integer(1)
        total.bytesOut = findPeriod.integer(2)
        total.durationMilliseconds = findPeriod.integer(3)
        total.tier = Int(findPeriod.integer(4))
        try bind(key, to: findCharges)
        while try findCharges.step() { total.charges.append(findCharges.integer(0)) }
        return total
    }

    private func write(_ total: PeriodTotal, of key: PeriodKey) throws(SQLiteFailure) {
        try bind(key, to: putPeriod)
        let values = [
            total.records, total.tokens, total.bytesOut, total.durationMilliseconds,
            Int64(total.tier),
        ]
        for (index, value) in values.enumerated() {
            try putPeriod.bind(value, at: Int32(4 + index))
        }
        try putPeriod.run()
        for (tier, charge) in total.charges.enumerated() {
            try bind(key, to: putCharge)
            try putCharge.bind(Int64(tier), at: 4)
            try putCharge.bind(charge, at: 5)
            try putCharge.run()
        }
    }

    private func write(
        _ addition: DayAddition,
        of key: TotalChanges.DayKey
    ) throws(SQLiteFailure) {
        for (tier, charge) in addition.charges.enumerated() {
            try bind(key.period, to: addDayCharge)
            try addDayCharge.bind(Int64(tier), at: 4)
            try addDayCharge.bind(charge, at: 5)
            try addDayCharge.bind(key.day, at: 6)
            try addDayCharge.run()
        }
        for (model, usage) in addition.usage {
            try addDayUsage.bind(key.period.account, at: 1)
            try addDayUsage.bind(key.period.period, at: 2)
            try addDayUsage.bind(key.day, at: 4)
            try addDayUsage.bind(model, at: 5)
            let values = [
                usage.records, usage.streams, usage.inputTokens, usage.outputTokens,
                usage.bytesOut, usage.durationMilliseconds,
            ]
            for (index, value) in values.enumerated() {
                try addDayUsage.bind(value, at: Int32(6 + index))
            }
            try addDayUsage.run()
        }
    }

    private func bind(
        _ key: PeriodKey,
        to statement: borrowing SQLiteStatement
    ) throws(SQLiteFailure) {
        try statement.bind(key.account, at: 1)
        try statement.bind(key.period, at: 2)
        try statement.bind(key.provider, at: 3)
    }
}

extension Int64 {
    /// The sum; nil when it does not fit.
    fileprivate func sum(_ other: Int64) -> Int64? {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? nil : sum
    }
}
