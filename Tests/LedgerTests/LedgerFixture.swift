import Foundation
import Ledger
import Metering
import Pricing
import Reactor
import StreamBytes
import TestSupport
import Testing

/// The databases that every test of the ledger is run against.
enum LedgerKind: CaseIterable, CustomTestStringConvertible {
    case sqlite, postgresql

    var testDescription: String { self == .sqlite ? "SQLite" : "PostgreSQL" }
}

/// A ledger in a database of its own, and the price list.
final class LedgerFixture: Sendable {
    let prices: PriceBook
    /// The file, where it is one.
    let path: String
    private let kind: LedgerKind
    private let url: String
    private let folder: ScratchFolder
    private let thread: BlockingThread

    init(_ kind: LedgerKind = .sqlite) throws {
        self.kind = kind
        prices = try BillingSamples.prices()
        folder = try ScratchFolder()
        path = folder.path("ledger.db")
        url = kind == .postgresql ? try PostgreSQLServer.database() : ""
        thread = try BlockingThread(name: "ledger-test")
    }

    deinit { thread.stop() }

    var database: LedgerDatabase {
        kind == .sqlite
            ? .sqlite(SQLiteLedgerConfiguration(path: path))
            : .postgresql(PostgreSQLLedgerConfiguration(url: url))
    }

    func ledger(
        directory: AccountDirectory = AccountDirectory(),
        at milliseconds: Int64 = BillingSamples.noon
    ) -> DatabaseLedger {
        DatabaseLedger(
            database,
            on: thread,
            directory: directory,
            wallClock: { WallTime(milliseconds: milliseconds) }
        )
    }

    /// A ledger in the file, opened otherwise.
    func file(_ change: (inout SQLiteLedgerConfiguration) -> Void = { _ in }) -> DatabaseLedger {
        var configuration = SQLiteLedgerConfiguration(path: path)
        configuration.busyMilliseconds = 20
        change(&configuration)
        return DatabaseLedger(
            .sqlite(configuration),
            on: thread,
            wallClock: { WallTime(milliseconds: BillingSamples.noon) }
        )
    }

    func entry(_ recordID: String, _ changes: [String: String] = [:]) -> BillingEntry {
        prices.settle(BillingSamples.delivered(recordID, changes))
    }

    /// The first row of a query, its columns joined by bars, as a person would read it beside the
    /// ledger; nil when there is none.
    func row(_ query: String) throws -> String? { try rows(query).first }

    /// All rows of a query, likewise.
    func rows(_ query: String) throws -> [String] {
        guard kind == .sqlite else {
            let output = try PostgreSQLServer.run("SET search_path = weir; \(query)", at: url)
            return output.split(separator: "\n").map(String.init)
        }
        let connection = try SQLiteConnection(path: path, busyMilliseconds: 1_000)
        let statement = try connection.prepare(query)
        var rows: [String] = []
        while try statement.step() {
            let texts = (0..<statement.columnCount).map { statement.text($0) ?? "" }
            rows.append(texts.joined(separator: "|"))
        }
        return rows
    }

    func change(_ statements: String) throws {
        guard kind == .sqlite else {
            try PostgreSQLServer.run("SET search_path = weir; \(statements)", at: url)
            return
        }
        try SQLiteConnection(path: path, busyMilliseconds: 1_000).execute(
            "PRAGMA ignore_check_constraints = ON;" + statements
        )
    }
}

// MARK: - Changing what is stored

extension LedgerFixture {
    /// What an audit of a copy of the file finds after somebody changed it.
    func findings(after statements: String) throws -> [LedgerFinding] {
        let copy = folder.path("copy.db")
        try? FileManager.default.removeItem(atPath: copy)
        try FileManager.default.copyItem(atPath: path, toPath: copy)
        try SQLiteConnection(path: copy, busyMilliseconds: 0).execute(
            "PRAGMA ignore_check_constraints = ON;" + statements
        )
        return try LedgerDatabase.sqlite(SQLiteLedgerConfiguration(path: copy)).audit().findings
    }

    /// What an audit of a copy of the file finds after one bit of it was turned over; the copy is
    /// packed, and the bit is one of a table's or an index's bytes that are not zero.
    ///
    /// - Returns: the place of the byte, and whether anything was found.
    func isFoundAfterFlip(
        _ random: inout SeededChance
    ) throws -> (offset: Int, isFound: Bool) {
        let copy = folder.path("flipped.db")
        try? FileManager.default.removeItem(atPath: copy)
        let source = try SQLiteConnection(path: path, busyMilliseconds: 1_000)
        try source.execute("VACUUM INTO '\(copy)'")
        let pages = try list(
            "SELECT DISTINCT pageno FROM dbstat WHERE name NOT LIKE 'sqlite_%'",
            at: copy
        )
        var bytes = try Data(contentsOf: URL(filePath: copy))
        var offset = 0
        repeat {
            let page = Int(pages[random.below(pages.count)]) ?? 1
            offset = (page - 1) * 4_096 + random.below(4_096)
        } while bytes[offset] == 0
        bytes[offset] ^= 1 << UInt8(random.below(8))
        try bytes.write(to: URL(filePath: copy))
        do throws(ChargeStoreError) {
            let database = LedgerDatabase.sqlite(SQLiteLedgerConfiguration(path: copy))
            return (offset, try !database.audit().isSound)
        } catch {
            return (offset, true)
        }
    }

    private func list(_ query: String, at path: String) throws -> [String] {
        let connection = try SQLiteConnection(path: path, busyMilliseconds: 1_000)
        let statement = try connection.prepare(query)
        var texts: [String] = []
        while try statement.step() { texts.append(statement.text(0) ?? "") }
        return texts
    }

    func tables() throws -> [String] {
        try list("SELECT name FROM sqlite_schema WHERE type = 'table' ORDER BY name")
    }

    func columns(of table: String) throws -> [String] {
        try list("SELECT name FROM pragma_table_info('\(table)') ORDER BY cid")
    }

    /// A statement that changes one column of one row, one in which something stands if there is
    /// one, and what stood there.
    func change(of column: String, in table: String) throws -> (statement: String, old: String) {
        let type = try row(
            "SELECT type FROM pragma_table_info('\(table)') WHERE name = '\(column)'"
        )
        let changed =
            switch type {
            case "INTEGER": "ifnull(\"\(column)\", 0) + 1000"
            case "TEXT": "ifnull(\"\(column)\", '') || '!'"
            default: "x'00'"
            }
        let key = try keyColumns(of: table)
        let place =
            "(\(key)) = (SELECT \(key) FROM \(table) ORDER BY \"\(column)\" IS NULL, \(key) LIMIT 1)"
        let old = try row(
            "SELECT ifnull(\"\(column)\", 'NULL') FROM \(table) WHERE \(place)"
        )
        return ("UPDATE \(table) SET \"\(column)\" = \(changed) WHERE \(place)", old ?? "")
    }

    /// A statement that deletes the second row of a table.
    func deletion(in table: String) throws -> String {
        let key = try keyColumns(of: table)
        return "DELETE FROM \(table) WHERE (\(key)) = "
            + "(SELECT \(key) FROM \(table) ORDER BY \(key) LIMIT 1 OFFSET 1)"
    }

    private func keyColumns(of table: String) throws -> String {
        let names = try list("SELECT name FROM pragma_table_info('\(table)') WHERE pk ORDER BY pk")
        return names.map { "\"\($0)\"" }.joined(separator: ", ")
    }

    private func list(_ query: String) throws -> [String] {
        try rows(query)
    }
}
