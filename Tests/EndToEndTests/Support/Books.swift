import Replay
import TestSupport

/// A meter record as it stands in Redis.
struct MeterEntry: Sendable {
    let id: String
    let fields: [String: String]

    subscript(_ name: String) -> String { fields[name] ?? "" }

    func number(_ name: String) -> Int { Int(self[name]) ?? -1 }

    /// When Redis took it, in milliseconds since 1970.
    var receivedAtMilliseconds: Int64 { id.split(separator: "-").first.flatMap { Int64($0) } ?? 0 }
}

/// The meter streams of a Redis server, read with its own client.
struct MeterBook: Sendable {
    let socket: String

    /// The records in the order in which Redis took them; none while Redis is away.
    func entries() async throws -> [MeterEntry] {
        let reply = try? await command("--json", "-3", "XRANGE", "weir:meter:0", "-", "+")
        guard let tree = reply.flatMap({ JSONTree(parsing: [UInt8]($0.utf8)) }) else { return [] }
        return tree.elements.map { entry in
            let words = entry.elements.last?.elements.compactMap(\.string) ?? []
            let pairs = stride(from: 0, to: words.count - 1, by: 2).map {
                (words[$0], words[$0 + 1])
            }
            return MeterEntry(
                id: entry.elements.first?.string ?? "",
                fields: Dictionary(pairs) { first, _ in first }
            )
        }
    }

    /// Waits until there are so many records.
    func entries(_ count: Int) async throws -> [MeterEntry] {
        try await eventually("\(count) meter records") {
            let entries = try await entries()
            return entries.count >= count ? entries : nil
        }
    }

    func command(_ words: String...) async throws -> String {
        try await output(of: "redis-cli", ["-s", socket] + words)
    }
}

/// A ledger in SQLite, read with SQLite's own program.
struct LedgerBook: Sendable {
    let path: String

    /// The rows of a query; none while the ledger is not there.
    func rows(_ query: String) async throws -> [JSONTree] {
        let arguments = ["-readonly", "-json", "-cmd", ".timeout 10000", path, query]
        let reply = try? await output(of: "sqlite3", arguments)
        return reply.flatMap { JSONTree(parsing: [UInt8]($0.utf8)) }?.elements ?? []
    }

    /// The charges, in the order in which they were booked.
    func charges() async throws -> [JSONTree] { try await rows("SELECT * FROM charge_list") }

    /// Waits until so many records are booked.
    func charges(_ count: Int) async throws -> [JSONTree] {
        try await eventually("\(count) booked records") {
            let rows = try await charges()
            return rows.count >= count ? rows : nil
        }
    }

    /// Waits until so many records are booked, and adds them up.
    func totals(of count: Int, within limit: Duration = .seconds(60)) async throws -> LedgerTotals {
        let query = """
            SELECT count(*) AS records, count(DISTINCT record_id) AS different, \
            total(input_tokens) AS input, total(output_tokens) AS output, \
            total(bytes_out) AS bytes FROM charge_list
            """
        return try await eventually("\(count) booked records", within: limit) {
            guard let row = try await rows(query).first else { return nil }
            let totals = LedgerTotals(row)
            return totals.records >= count ? totals : nil
        }
    }
}

struct LedgerTotals: Equatable {
    let records: Int
    let different: Int
    let inputTokens: Int
    let outputTokens: Int
    let bytes: Int

    init(_ row: JSONTree) {
        func number(_ name: String) -> Int {
            if case .number(let value)? = row[name] { return Int(value) }
            return row[name]?.integer.map(Int.init) ?? -1
        }
        records = number("records")
        different = number("different")
        inputTokens = number("input")
        outputTokens = number("output")
        bytes = number("bytes")
    }

    /// What the records in Redis add up to.
    init(_ entries: [MeterEntry]) {
        records = entries.count
        different = Set(entries.map { $0["record_id"] }).count
        inputTokens = entries.reduce(0) { $0 + $1.number("input_tokens") }
        outputTokens = entries.reduce(0) { $0 + $1.number("output_tokens") }
        bytes = entries.reduce(0) { $0 + $1.number("bytes_out") }
    }
}
