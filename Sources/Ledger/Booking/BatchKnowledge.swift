import Metering
import Pricing

/// What a batch has to know of what is stored, and what becomes of it.
struct BatchKnowledge {
    /// Records whose ids the batch names.
    private(set) var records: [String: MeterRecord] = [:]
    private(set) var periods: [PeriodKey: OpenPeriod] = [:]
    private(set) var streams: [StreamKey: StreamRow] = [:]
    private(set) var accounts: [String: AccountRow] = [:]
    private(set) var touchedStreams: Set<StreamKey> = []
    private let engine: any LedgerEngine
    private let directory: AccountDirectory
    private var periodNames: [CalendarMonth: String] = [:]

    /// An account's month, as the batch leaves it.
    struct OpenPeriod {
        var row: PeriodRow
        var book: PeriodBook
        var touchedModels: Set<String> = []
        var touchedProviders: Set<String> = []
    }

    init(_ engine: any LedgerEngine, _ directory: AccountDirectory) {
        self.engine = engine
        self.directory = directory
    }

    mutating func load(_ rated: [RatedRecord]) throws(LedgerFailure) {
        let ids = rated.map { [LedgerValue.text($0.record.recordID)] }
        let accounts = Set(rated.map(\.record.accountID)).map { [LedgerValue.text($0)] }
        let streams = Set(rated.map { StreamKey($0.record) }).map(\.values)
        let answers = try engine.read([
            LedgerRead(AccountRow.table, by: ["account_id"], accounts),
            LedgerRead(
                RecordRow.table,
                columns: RecordRow.ratedColumns,
                by: ["record_id"],
                ids
            ),
            LedgerRead(StreamRow.table, by: StreamRow.table.key, streams),
        ])
        for values in answers[0] {
            let row = try AccountRow(stored: values)
            self.accounts[row.id] = row
        }
        for values in answers[1] {
            var reader = RowReader(RecordRow.table, values)
            let record = try MeterRecord(&reader)
            records[record.recordID] = record
        }
        for values in answers[2] {
            let row = try StreamRow(stored: values)
            self.streams[row.key] = row
        }
        try loadPeriods(Set(rated.map { key(of: $0) }), rated)
    }

    private mutating func loadPeriods(
        _ keys: Set<PeriodKey>,
        _ rated: [RatedRecord]
    ) throws(LedgerFailure) {
        let stored = try PeriodReading(engine).periods(keys)
        for key in keys {
            periods[key] =
                stored[key]
                ?? OpenPeriod(
                    row: PeriodRow(key, mode: directory.terms(of: key.account).discountMode),
                    book: PeriodBook(mode: directory.terms(of: key.account).discountMode)
                )
        }
        let graduated = keys.filter { periods[$0]?.row.mode == .graduated }
        guard !graduated.isEmpty else { return }
        let reading = OrderReading(engine)
        for key in graduated {
            let members = rated.filter { $0.record.accountID == key.account }
            guard var period = periods.removeValue(forKey: key) else { continue }
            try reading.loadOrders(of: &period.book, key, for: members)
            periods[key] = period
        }
    }

    /// Whether a period takes no more records.
    mutating func isClosed(
        _ period: CalendarMonth,
        of account: String
    ) throws(LedgerFailure) -> Bool {
        let key = PeriodKey(account: account, period: name(of: period))
        if periods[key] == nil { try loadPeriods([key], []) }
        return periods[key]?.row.closedAtMilliseconds != nil
    }

    /// Books a record in its period, which was loaded; nil when the totals cannot hold it.
    mutating func book(_ rated: RatedRecord) -> Booking? {
        let key = key(of: rated)
        let quotas = directory.terms(of: key.account).quotas
        guard let booking = periods[key]?.book.add(rated, quotas: quotas) else { return nil }
        periods[key]?.row.records += 1
        periods[key]?.touchedProviders.insert(rated.provider)
        periods[key]?.touchedModels.insert(rated.record.model)
        for rerating in booking.rerated {
            periods[key]?.touchedModels.insert(rerating.record.model)
        }
        return booking
    }

    mutating func addToStream(_ row: RecordRow) {
        let stream = StreamRow(row)
        touchedStreams.insert(stream.key)
        streams[stream.key]?.add(stream)
        if streams[stream.key] == nil { streams[stream.key] = stream }
    }

    mutating func append(
        _ event: LedgerEvent,
        of account: String,
        to rows: inout LedgerRows
    ) {
        accounts[account, default: AccountRow(id: account)].append(event, to: &rows)
    }

    /// The period that a record is billed in.
    mutating func key(of rated: RatedRecord) -> PeriodKey {
        PeriodKey(account: rated.record.accountID, period: name(of: rated.period))
    }

    private mutating func name(of period: CalendarMonth) -> String {
        if let name = periodNames[period] { return name }
        let name = period.description
        periodNames[period] = name
        return name
    }
}
