import Foundation
import Replay
import TestSupport
import Testing

extension EndToEndTests {
    /// Several `weir bill` that share two meter streams and one ledger, and are killed, stopped,
    /// frozen and replaced all the while.
    @Suite struct ManyBillersTests {
        private static let partitions = 2
        private static let recordCount = 4_000
        private let scratch: ScratchFolder
        private let server: RedisServer
        private let feed: MeterFeed

        init() throws {
            scratch = try ScratchFolder()
            server = try RedisServer()
            feed = MeterFeed(server, partitions: Self.partitions)
        }

        private func biller(_ name: String, ledger: String) throws -> RunningProgram {
            try RunningWeir.run(
                "bill",
                data: scratch.path(name),
                settings: [
                    "redis.url=\(server.url)", "ledger.url=sqlite:\(scratch.path(ledger))",
                    "metering.partitions=\(Self.partitions)", "billing.takeover=1s",
                    "billing.batch=40",
                ]
            )
        }

        /// What the ledger says of each account, and of all records together.
        private func books(_ ledger: String) async throws -> [String] {
            let rows = try await LedgerBook(path: scratch.path(ledger)).rows(
                """
                SELECT account_id || ' ' || count(*) || ' ' || count(DISTINCT record_id) || ' ' || \
                sum(input_tokens) || ' ' || sum(output_tokens) || ' ' || sum(bytes_out) || ' ' || \
                sum(CAST(replace(charge_usd, '.', '') AS INTEGER)) AS line \
                FROM charge_list GROUP BY account_id ORDER BY account_id
                """
            )
            return rows.compactMap { $0["line"]?.string }
        }

        private func redis(_ words: String...) throws -> String {
            try ProgramRun("redis-cli", ["-s", server.socketPath] + words).output
        }

        private func isSettled() throws -> Bool {
            guard try redis("HGET", "weir:committed", "feed:1") == "\(Self.recordCount)\n" else {
                return false
            }
            return try (0..<Self.partitions).allSatisfy { partition in
                try redis("XPENDING", "weir:meter:\(partition)", "billing").hasPrefix("0\n")
            }
        }

        /// Waits until everything is billed and acknowledged.
        private func settle(_ biller: RunningProgram) async throws {
            let end = ContinuousClock.now + .seconds(120)
            while try !isSettled() {
                guard ContinuousClock.now < end else {
                    throw TookTooLong(
                        description: """
                            everything to be billed: \(try redis("HGETALL", "weir:committed"))
                            \(String(describing: biller.status)) \(biller.errors.suffix(2_000))
                            """
                    )
                }
                try await Task.sleep(for: .milliseconds(300))
            }
        }

        /// One of the things that happen to billers.
        private func disturb(
            _ billers: inout [RunningProgram],
            _ random: inout SeededChance,
            name: String
        ) async throws {
            let index = billers.isEmpty ? 0 : random.below(billers.count)
            switch random.below(billers.isEmpty ? 1 : 5) {
            case 0, 1:
                guard billers.count < 4 else { return }
                billers.append(try biller(name, ledger: "shaken.db"))
            case 2: billers.remove(at: index).kill()
            case 3:
                let biller = billers.remove(at: index)
                biller.signal(SIGTERM)
                #expect(try await biller.end() == 0, "\(biller.errors.suffix(500))")
            default:
                // Longer than the others wait before they take over.
                billers[index].signal(SIGSTOP)
                try await Task.sleep(for: .milliseconds(1_500))
                billers[index].signal(SIGCONT)
            }
        }

        @Test func `whoever comes and goes, every record is billed once`() async throws {
            var random = SeededChance(seed: 1)
            var billers: [RunningProgram] = []
            var written = 1
            var step = 0
            while written <= Self.recordCount {
                let end = min(Self.recordCount + 1, written + random.within(100...500))
                try feed.write(written..<end)
                written = end
                try await disturb(&billers, &random, name: "b\(step)")
                step += 1
            }
            for biller in billers { biller.kill() }
            let last = try biller("last", ledger: "shaken.db")
            try await settle(last)
            last.signal(SIGTERM)
            #expect(try await last.end() == 0)

            // The same streams again, read by one that nobody disturbs.
            for partition in 0..<Self.partitions {
                _ = try redis("XGROUP", "DESTROY", "weir:meter:\(partition)", "billing")
            }
            _ = try redis("DEL", "weir:committed")
            let calm = try biller("calm", ledger: "calm.db")
            try await settle(calm)
            calm.signal(SIGTERM)
            #expect(try await calm.end() == 0)

            let shakenBooks = try await books("shaken.db")
            let calmBooks = try await books("calm.db")
            #expect(calmBooks.count == 7)
            #expect(shakenBooks == calmBooks)
            let totals = try await LedgerBook(path: scratch.path("shaken.db"))
                .totals(of: Self.recordCount)
            #expect(totals.records == Self.recordCount)
            #expect(totals.different == Self.recordCount)
            let members = try redis("XINFO", "CONSUMERS", "weir:meter:0", "billing")
            #expect(!members.contains("name"), "one that ends in peace leaves the group")
        }
    }
}
