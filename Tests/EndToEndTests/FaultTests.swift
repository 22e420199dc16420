import TestSupport
import Testing

extension EndToEndTests {
    /// A dozen faults of those that `make faults` puts in by the hundred.
    @Suite struct FaultTests {
        private func faults(_ arguments: [String]) async throws -> RunningProgram {
            let runner = try RunningProgram(
                "python3",
                ["LoadTests/faults", "--binaries", Place.folder, "--streams", "6"] + arguments
            )
            try await runner.end(within: .seconds(200))
            return runner
        }

        @Test func `whatever is killed, filled or set back, the ledger has everything once`()
            async throws
        {
            let runner = try await faults(["--seed", "4", "--faults", "12"])
            #expect(runner.status == 0, "\(runner.output)\(runner.errors.suffix(2_000))")
            let last = runner.output.split(separator: "\n").last ?? ""
            #expect(last.hasSuffix(" 0 findings"), "\(last)")
            #expect(runner.output.contains("weir ledger verify: sound"))
        }

        @Test func `a database that is restarted in the middle of a transaction loses nothing`()
            async throws
        {
            let runner = try await faults([
                "--ledger", "postgresql", "--only", "PostgreSQL", "--faults", "1",
            ])
            #expect(runner.status == 0, "\(runner.output)\(runner.errors.suffix(2_000))")
            #expect(runner.output.contains("| PostgreSQL: restarted"), "\(runner.output)")
        }

        @Test(arguments: ["lose", "double", "bytes", "tokens"])
        func `a ledger that is wrong is noticed`(tampering: String) async throws {
            let runner = try await faults(
                ["--faults", "1", "--only", "Redis: restarted", "--tamper", tampering]
            )
            #expect(runner.status == 1)
            #expect(runner.output.contains("round 1, Redis: restarted: "), "\(runner.output)")
        }
    }
}
