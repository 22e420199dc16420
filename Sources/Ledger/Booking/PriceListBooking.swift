import Cryptography
import Metering
import Pricing
import StreamBytes

/// Keeps every price list that records were rated by; inside a transaction.
struct PriceListBooking {
    private let engine: any LedgerEngine

    init(_ engine: any LedgerEngine) { self.engine = engine }

    /// The lists that are stored, each with the model `free`; nil: none.
    func stored() throws(LedgerFailure) -> PriceBook? {
        var lists: [PriceList] = []
        for row in try rows() { lists.append(try row.list()) }
        guard !lists.isEmpty else { return nil }
        return try Self.book(lists)
    }

    /// Stores the lists that are not stored yet.
    ///
    /// - Parameters:
    ///   - prices: the configured lists.
    ///   - now: the wall clock, in milliseconds since 1970.
    /// - Returns: these and all others that are stored.
    /// - Throws: `LedgerFailure`; `refused` where a list contradicts what was booked.
    func adopt(_ prices: PriceBook, at now: Int64) throws(LedgerFailure) -> PriceBook {
        let known = try rows()
        var lists: [PriceList] = []
        for row in known { lists.append(try row.list()) }
        let fresh = prices.lists.filter { list in !known.contains { $0.version == list.version } }
        for list in prices.lists {
            if let row = known.first(where: { $0.version == list.version }) {
                try check(list, against: row)
            }
        }
        for list in fresh { try checkStart(of: list) }
        let book = try Self.book(lists + fresh.map { $0.addingFree() })
        try add(fresh, at: now)
        return book
    }

    /// Stores lists without asking what was booked before.
    func add(_ lists: [PriceList], at now: Int64) throws(LedgerFailure) {
        guard !lists.isEmpty else { return }
        var rows = LedgerRows(PriceListRow.table)
        var log = EventLogBooking(engine)
        try log.open([""])
        for list in lists {
            let hash = SHA256Digest(of: list.text).hexadecimal
            rows.append(PriceListRow(list, sha256: hash, at: now).values, engine.sealer)
            try log.append(
                LedgerEvent(
                    .priceListAdded,
                    at: now,
                    subject: list.version,
                    detail: "sha256 \(hash)"
                ),
                of: ""
            )
        }
        try engine.write(.insert(rows))
        try log.write()
    }

    private func rows() throws(LedgerFailure) -> [PriceListRow] {
        let columns = PriceListRow.table.columnList
        var rows: [PriceListRow] = []
        for values in try engine.query("SELECT \(columns) FROM price_lists", []) {
            rows.append(try PriceListRow(stored: values))
        }
        return rows
    }

    private func check(_ list: PriceList, against row: PriceListRow) throws(LedgerFailure) {
        guard SHA256Digest(of: list.text).hexadecimal != row.sha256 else { return }
        throw .refused(
            "the price list \(list.version) is not the one that the ledger has under this version; "
                + "a changed list needs a new version and an effective_from"
        )
    }

    /// Refuses a list that would change what is booked already.
    private func checkStart(of list: PriceList) throws(LedgerFailure) {
        guard list.effectiveFrom.milliseconds != .min else {
            guard try exists("periods", []) else { return }
            throw isTooLate(list, since: "the beginning")
        }
        let start = list.effectiveFrom
        let month = CalendarMonth(containing: start)
        let nextMonth = month.start == start ? month : month.next
        let day = CalendarMonth.dayText(of: start)
        let later: [(String, LedgerValue)] = [
            ("day_models WHERE day > $1", .text(day)),
            ("periods WHERE period >= $1", .text(nextMonth.description)),
            (
                "periods WHERE closed_at_ms IS NOT NULL AND period >= $1",
                .text(month.description)
            ),
        ]
        for (rows, value) in later where try exists(rows, [value]) {
            throw isTooLate(list, since: start.text)
        }
        // Within the day, the records themselves decide.
        guard try exists("day_models WHERE day = $1", [.text(day)]),
            try exists("records WHERE ended_at_ms >= $1", [.integer(start.milliseconds)])
        else { return }
        throw isTooLate(list, since: start.text)
    }

    private func exists(
        _ rows: String,
        _ values: [LedgerValue]
    ) throws(LedgerFailure) -> Bool {
        try !engine.query("SELECT 1 FROM \(rows) LIMIT 1", values).isEmpty
    }

    private func isTooLate(_ list: PriceList, since: String) -> LedgerFailure {
        .refused(
            "the price list \(list.version) is in force from \(since) on, and what came after that "
                + "is booked by another list; its effective_from has to lie in the future"
        )
    }

    private static func book(_ lists: [PriceList]) throws(LedgerFailure) -> PriceBook {
        do throws(PriceBookError) {
            return try PriceBook(lists)
        } catch {
            switch error {
            case .empty: throw .refused("there is no price list")
            case .changed(let version):
                throw .refused("the price list \(version) stands for two different lists")
            case .sameInstant(let versions):
                throw .refused(
                    "the price lists \(versions.joined(separator: " and ")) are in force from "
                        + "the same instant on; effective_from tells them apart"
                )
            }
        }
    }
}

extension PriceListRow {
    /// The list, with the model `free`.
    func list() throws(LedgerFailure) -> PriceList {
        do throws(PriceListError) {
            return try PriceList(parsing: Array(body.utf8)).addingFree()
        } catch {
            throw .damaged("price_lists.body of \(version): \(error)")
        }
    }
}

/// Appends events to the chains of accounts; inside a transaction.
struct EventLogBooking {
    private let engine: any LedgerEngine
    private var heads: [String: AccountRow] = [:]
    private var rows = LedgerRows(EventRow.table)

    init(_ engine: any LedgerEngine) { self.engine = engine }

    /// Locks the chains; the name of the house's own is empty.
    mutating func open(_ accounts: [String]) throws(LedgerFailure) {
        try engine.lock(accounts: accounts.sorted())
        let reads = LedgerRead(
            AccountRow.table,
            by: ["account_id"],
            accounts.map { [.text($0)] }
        )
        for values in try engine.read([reads])[0] {
            let row = try AccountRow(stored: values)
            heads[row.id] = row
        }
    }

    mutating func append(_ event: LedgerEvent, of account: String) throws(LedgerFailure) {
        heads[account, default: AccountRow(id: account)].append(
            event,
            number: try engine.numbers(1) + Int64(rows.count),
            to: &rows,
            engine.sealer
        )
    }

    func write() throws(LedgerFailure) {
        try engine.write(.insert(rows))
        var accounts = LedgerRows(AccountRow.table)
        for head in heads.values { accounts.append(head.values, engine.sealer) }
        try engine.write(.put(accounts))
    }
}
