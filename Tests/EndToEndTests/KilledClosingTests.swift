import Foundation
import TestSupport
import Testing

extension EndToEndTests {
    /// Billers that are killed while they close the months of many accounts.
    @Suite struct KilledClosingTests {
        private static let accounts = 120
        /// 2026-01-15 and 2026-02-15, 12:00 UTC.
        private static let noons: [Int64] = [1_768_478_400_000, 1_771_156_800_000]
        private static let closed = "SELECT count(*) FROM usage_reports"
        private let scratch: ScratchFolder

        init() throws { scratch = try ScratchFolder() }

        /// The records of two months, and where they are billed.
        private struct Books {
            let redis: RedisServer
            let ledger: String
            let rows: @Sendable (String) async throws -> [String]
        }

        private func books(_ name: String, inServer: Bool) throws -> Books {
            let redis = try RedisServer()
            let feed = MeterFeed(redis, partitions: 1)
            for (month, noon) in Self.noons.enumerated() {
                let first = 1 + month * Self.accounts * 2
                try feed.write(accounts: Self.accounts, from: first, at: noon)
            }
            guard inServer else {
                let path = scratch.path("\(name).db")
                return Books(redis: redis, ledger: "sqlite:\(path)") { query in
                    let arguments = ["-readonly", "-list", "-cmd", ".timeout 10000", path, query]
                    let text = (try? await output(of: "sqlite3", arguments)) ?? ""
                    return text.split(separator: "\n").map(String.init)
                }
            }
            let url = try PostgreSQLServer.database()
            return Books(redis: redis, ledger: url) { query in
                let text = try? PostgreSQLServer.run("SET search_path = weir; \(query)", at: url)
                return (text ?? "").split(separator: "\n").map(String.init)
            }
        }

        private func biller(_ books: Books, _ name: String) throws -> RunningProgram {
            try RunningWeir.run(
                "bill",
                data: scratch.path(name),
                settings: [
                    "redis.url=\(books.redis.url)", "ledger.url=\(books.ledger)",
                    "metering.partitions=1",
                ]
            )
        }

        private func end(_ biller: RunningProgram) async throws {
            // Before that, it does not heed signals.
            try await eventually("the start; \(biller.errors.suffix(500))") {
                biller.errors.contains("\"started\"").whenTrue
            }
            biller.signal(SIGTERM)
            #expect(try await biller.end() == 0, "\(biller.errors.suffix(500))")
        }

        /// Bills everything; none of the months can be closed before the next start looks.
        private func bill(_ books: Books, _ name: String) async throws {
            let biller = try biller(books, name)
            let count = String(Self.accounts * 2 * Self.noons.count)
            try await eventually("everything to be billed; \(biller.errors.suffix(500))") {
                try await (books.rows("SELECT count(*) FROM charges") == [count]).whenTrue
            }
            try await end(biller)
        }

        private func closeAll(_ books: Books, _ name: String) async throws {
            let biller = try biller(books, name)
            let count = String(Self.accounts * Self.noons.count)
            try await eventually("every month to be closed; \(biller.errors.suffix(500))") {
                try await (books.rows(Self.closed) == [count]).whenTrue
            }
            try await end(biller)
        }

        /// The frozen reports, to the byte, with the instant at which each was closed or without.
        private func reports(_ books: Books, withInstant: Bool) async throws -> [String] {
            try await books.rows(
                "SELECT account_id, period, report FROM usage_reports ORDER BY account_id, period"
            ).map { line in
                guard !withInstant, let start = line.range(of: "\"closedAt\":\"")?.upperBound,
                    let end = line[start...].firstIndex(of: "\"")
                else { return line }
                return String(line[..<start] + line[end...])
            }
        }

        /// Two billers close months, and are killed while they do.
        private func closeAndDie(
            _ books: Books,
            _ round: Int,
            _ random: inout SeededChance
        ) async throws {
            let billers = try (0..<2).map { try biller(books, "killed-\(round)-\($0)") }
            let word = random.chance(perMille: 750) ? "\"period_closed\"" : "\"started\""
            try await eventually("\(word); \(billers[0].errors.suffix(500))") {
                billers.contains { $0.errors.contains(word) }.whenTrue
            }
            try await Task.sleep(for: .milliseconds(random.below(60)))
            for biller in billers { biller.kill() }
            for biller in billers { try await biller.end() }
        }

        @Test(arguments: [false, true])
        func `each month is closed once, whenever the billers are killed`(
            inPostgreSQL: Bool
        ) async throws {
            var random = SeededChance(seed: inPostgreSQL ? 2 : 1)
            let calm = try books("calm", inServer: false)
            try await bill(calm, "calm-1")
            try await closeAll(calm, "calm-2")
            let expected = try await reports(calm, withInstant: false)
            let count = Self.accounts * Self.noons.count
            #expect(expected.count == count)

            let shaken = try books("shaken", inServer: inPostgreSQL)
            try await bill(shaken, "first")
            var (kills, cutCount) = (0, 0)
            var frozen: Set<String> = []
            while kills < 40 {
                try await closeAndDie(shaken, kills, &random)
                kills += 1
                let now = Set(try await reports(shaken, withInstant: true))
                #expect(frozen.isSubset(of: now), "a report has changed")
                frozen = now
                guard frozen.count < count else { break }
                if !frozen.isEmpty { cutCount += 1 }
            }
            print("killed \(kills) times, \(cutCount) of them with months closed and months open")
            #expect(cutCount >= 3)
            try await closeAll(shaken, "last")

            #expect(frozen.isSubset(of: Set(try await reports(shaken, withInstant: true))))
            #expect(try await reports(shaken, withInstant: false) == expected)
            let twice =
                "SELECT account_id, subject FROM events WHERE kind = 'period_closed' "
                + "GROUP BY account_id, subject HAVING count(*) <> 1"
            #expect(try await shaken.rows(twice).isEmpty)
            let transactions = "SELECT count(*) FROM journal WHERE kind = 'close'"
            #expect(try await shaken.rows(transactions) == [String(count)])
            let verified = try await output(
                of: Place.program("weir"),
                ["ledger", "verify", "--set", "ledger.url=\(shaken.ledger)"]
            )
            #expect(verified.hasPrefix("sound: "), "\(verified)")
        }
    }
}
