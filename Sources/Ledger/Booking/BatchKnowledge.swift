import Metering
import Pricing

/// What a batch has to know of what is stored, and what becomes of it.
struct BatchKnowledge {
    /// Records whose ids the batch names.
    private(set) var records: [String: MeterRecord] = [:]
    private(set) var periods: [PeriodKey: OpenPeriod] = [:]
    var streams = OpenStreams()
    private(set) var accounts: [String: AccountRow] = [:]
    /// Accounts that the batch books for.
    private(set) var counted: Set<String> = []
    private let engine: any LedgerEngine
    private let directory: AccountDirectory
    private let cache: PeriodCache
    private let isCareful: Bool
    private let prices: PriceBook?
    /// The records of the batch that can be booked.
    private var rated: [RatedRecord] = []
    private var periodNames: [CalendarMonth: String] = [:]

    /// An account's month, as the batch leaves it.
    struct OpenPeriod {
        var row: PeriodRow
        var book: PeriodBook
        var touchedProviders: Set<String> = []

        var isTouched: Bool { !touchedProviders.isEmpty }

        /// Books a record; nil when the totals cannot hold it.
        mutating func add(_ rated: RatedRecord, _ quotas: [Quota]) -> Booking? {
            guard let booking = book.add(rated, quotas: quotas) else { return nil }
            row.records += 1
            touchedProviders.insert(rated.provider)
            return booking
        }
    }

    init(
        _ engine: any LedgerEngine,
        _ directory: AccountDirectory,
        _ prices: PriceBook?,
        _ cache: PeriodCache,
        isCareful: Bool
    ) {
        self.engine = engine
        self.directory = directory
        self.prices = prices
        self.cache = cache
        self.isCareful = isCareful
    }

    /// Reads what the entries need.
    ///
    /// - Parameters:
    ///   - entries: the batch.
    ///   - origins: of each entry.
    ///   - sequences: of the batch.
    /// - Throws: `LedgerFailure`.
    mutating func load(
        _ entries: [BillingEntry],
        _ origins: [RecordOrigin?],
        _ sequences: SequenceBooking
    ) throws(LedgerFailure) {
        rated = entries.compactMap(\.rated)
        let names = Set(rated.lazy.map(\.record.accountID)).map { [LedgerValue.text($0)] }
        let read = LedgerRead(AccountRow.table, by: ["account_id"], names)
        for values in try engine.read([read])[0] {
            let row = try AccountRow(stored: values)
            accounts[row.id] = row
        }
        let dealtWith = isCareful ? [:] : try sequences.stored()
        var ids: [[LedgerValue]] = []
        var streamKeys: Set<StreamKey> = []
        for (entry, origin) in zip(entries, origins) {
            guard let record = entry.rated?.record else { continue }
            // A number that was never dealt with stands for a record that was never stored; and
            // with a first record comes a stream that was not there. Where one of these is not so,
            // the database refuses the batch, and it is booked carefully.
            let isNew = origin.map { !SequenceBooking.contains($0, dealtWith) } ?? false
            if isCareful || !isNew { ids.append([.text(record.recordID)]) }
            if isCareful || record.segment > 0 { streamKeys.insert(StreamKey(record)) }
        }
        try loadRecords(ids, streamKeys.map(\.values))
        try loadPeriods(Set(rated.map { key(of: $0) }))
    }

    private mutating func loadRecords(
        _ ids: [[LedgerValue]],
        _ streamKeys: [[LedgerValue]]
    ) throws(LedgerFailure) {
        guard !ids.isEmpty || !streamKeys.isEmpty else { return }
        let answers = try engine.read([
            LedgerRead(
                RecordRow.table,
                columns: RecordRow.ratedColumns,
                by: ["record_id"],
                ids
            ),
            LedgerRead(StreamRow.table, by: ["account_id", "connection_id"], streamKeys),
        ])
        for values in answers[0] {
            var reader = RowReader(RecordRow.table, values)
            let record = try MeterRecord(&reader)
            records[record.recordID] = record
        }
        for values in answers[1] {
            streams.load(try StreamRow(stored: values))
        }
    }

    private mutating func loadPeriods(_ keys: Set<PeriodKey>) throws(LedgerFailure) {
        var wanted: Set<PeriodKey> = []
        for key in keys {
            let batches = accounts[key.account]?.batches ?? 0
            periods[key] = cache.period(key, batches: batches)
            if periods[key] == nil { wanted.insert(key) }
        }
        if !wanted.isEmpty {
            let stored = try PeriodReading(engine).periods(wanted)
            for key in wanted {
                let mode = directory.terms(of: key.account).discountMode
                periods[key] =
                    stored[key]
                    ?? OpenPeriod(row: PeriodRow(key, mode: mode), book: PeriodBook(mode: mode))
            }
        }
        let reading = OrderReading(engine, prices)
        for key in keys where periods[key]?.row.mode == .graduated {
            // Any of them may come to be booked here: its own period may be closed.
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
        if periods[key] == nil { try loadPeriods([key]) }
        return periods[key]?.row.closedAtMilliseconds != nil
    }

    /// Books a record in its period, which was loaded; nil when the totals cannot hold it.
    mutating func book(_ rated: RatedRecord, in key: PeriodKey) -> Booking? {
        guard let place = periods.index(forKey: key) else { return nil }
        return periods.values[place].add(rated, directory.terms(of: key.account).quotas)
    }

    mutating func addToStream(_ row: RecordRow) { streams.add(StreamRow(row)) }

    mutating func append(
        _ event: LedgerEvent,
        number: Int64,
        of account: String,
        to rows: inout LedgerRows
    ) {
        accounts[account, default: AccountRow(id: account)].append(
            event,
            number: number,
            to: &rows,
            engine.sealer
        )
    }

    /// Counts the batch in every account that it booked for.
    mutating func countBatch() {
        for (key, period) in periods where period.isTouched { counted.insert(key.account) }
        for account in counted { accounts[account, default: AccountRow(id: account)].batches += 1 }
    }

    /// Remembers the totals once the batch is committed.
    func remember() {
        let rows = accounts.filter { counted.contains($0.key) }
        cache.remember(periods.filter { counted.contains($0.key.account) }, rows)
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
