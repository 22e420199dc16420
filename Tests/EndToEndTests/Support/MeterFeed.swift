import Foundation
import TestSupport

/// Meter records of a gateway that is not there, written as it would write them.
struct MeterFeed {
    private let server: RedisServer
    private let partitions: Int
    private let now = Int64(Date().timeIntervalSince1970 * 1_000)

    init(_ server: RedisServer, partitions: Int) {
        self.server = server
        self.partitions = partitions
    }

    /// Writes the records of these numbers, of seven accounts, and lines of `further` commands after
    /// them.
    func write(_ numbers: Range<Int>, further: [String] = []) throws {
        let lines = numbers.map { number in
            "XADD weir:meter:\(number % partitions) * "
                + fields(number, account: "a\(number % 7)", endedAt: now - Int64(number))
                .map { "\($0.0) \($0.1)" }.joined(separator: " ")
        }
        try send(lines + further)
    }

    /// Writes records as Redis took them in a month that is long over, two for each account.
    ///
    /// - Parameters:
    ///   - accounts: how many, `m0` and so on.
    ///   - first: the number of the first record.
    ///   - noon: of a day in the month, in milliseconds since 1970; later than that of any before.
    /// - Throws: `ProgramFailed`.
    func write(accounts: Int, from first: Int, at noon: Int64) throws {
        try send(
            (0..<accounts * 2).map { place in
                let fields = fields(first + place, account: "m\(place / 2)", endedAt: noon)
                return "XADD weir:meter:0 \(noon + Int64(place))-0 "
                    + fields.map { "\($0.0) \($0.1)" }.joined(separator: " ")
            }
        )
    }

    private func send(_ commands: [String]) throws {
        let text = commands.joined(separator: "\n") + "\n"
        try waitForServer()
        let run = try ProgramRun(
            "redis-cli",
            ["-s", server.socketPath],
            input: Array(text.utf8)
        )
        guard run.status == 0, run.errors.isEmpty, !run.output.contains("ERR") else {
            throw ProgramFailed(description: "redis-cli: \(run.errors)\(run.output.suffix(300))")
        }
    }

    /// A program that finds no server drops what it was to send, command by command.
    private func waitForServer() throws {
        for _ in 0..<500 {
            let run = try ProgramRun("redis-cli", ["-s", server.socketPath, "PING"])
            if run.output == "PONG\n" { return }
            usleep(20_000)
        }
        throw ProgramFailed(description: "redis-server does not answer")
    }

    /// Amounts that no two neighbours share.
    private func fields(
        _ number: Int,
        account: String,
        endedAt: Int64
    ) -> [(String, String)] {
        [
            ("v", "1"), ("record_id", "feed:1:\(number)"), ("account_id", account),
            ("connection_id", "c\(number)"), ("segment", "0"), ("model", "openai/gpt-4"),
            ("ended_at_ms", "\(endedAt)"), ("duration_ms", "1000"),
            ("bytes_out", "\(1_000 + number)"), ("input_tokens", "\(number % 97)"),
            ("output_tokens", "\(number % 89)"), ("downtime_ms", "0"), ("busy_ms", "0"),
            ("gateway", "feed"), ("epoch", "1"), ("seq", "\(number)"),
        ]
    }
}
