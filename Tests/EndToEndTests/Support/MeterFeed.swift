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

    /// Writes the records of these numbers, and lines of `further` commands after them.
    func write(_ numbers: Range<Int>, further: [String] = []) throws {
        let lines = numbers.map { number in
            "XADD weir:meter:\(number % partitions) * "
                + fields(number).map { "\($0.0) \($0.1)" }.joined(separator: " ")
        }
        let text = (lines + further).joined(separator: "\n") + "\n"
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

    /// Seven accounts; amounts that no two neighbours share.
    private func fields(_ number: Int) -> [(String, String)] {
        [
            ("v", "1"), ("record_id", "feed:1:\(number)"), ("account_id", "a\(number % 7)"),
            ("connection_id", "c\(number)"), ("segment", "0"), ("model", "openai/gpt-4"),
            ("ended_at_ms", "\(now - Int64(number))"), ("duration_ms", "1000"),
            ("bytes_out", "\(1_000 + number)"), ("input_tokens", "\(number % 97)"),
            ("output_tokens", "\(number % 89)"), ("downtime_ms", "0"), ("busy_ms", "0"),
            ("gateway", "feed"), ("epoch", "1"), ("seq", "\(number)"),
        ]
    }
}
