import Replay
import TestSupport
import Testing

extension EndToEndTests {
    /// Several gateways on one Redis.
    @Suite struct FleetTests {
        private let scratch: ScratchFolder
        private let server: RedisServer

        init() throws {
            scratch = try ScratchFolder()
            server = try RedisServer(options: RedisServer.inMemory)
        }

        private func gateway(_ name: String, _ replay: RunningReplay) async throws -> RunningWeir {
            try await RunningWeir.start(
                "serve",
                data: scratch.path(name),
                configuration: replayConfiguration(replay.url, openAI: ["openai/chat-text-usage"]),
                settings: ["redis.url=\(server.url)", "access.open=true"]
            )
        }

        private func stats(_ gateway: RunningWeir, _ query: String) async throws -> JSONTree {
            let url = "\(gateway.admin)/api/stream/stats\(query)"
            return try #require(jsonTree(try await output(of: "curl", ["-s", url])))
        }

        @Test func `one answers for all, and names those that fell silent`() async throws {
            let replay = try await RunningReplay.start()
            let first = try await gateway("first", replay)
            let second = try await gateway("second", replay)
            for gateway in [first, second, second] {
                let asking = gateway.asking("openai/chat-text-usage")
                #expect(try await RunningProgram("curl", asking).end() == 0)
            }

            let all = try await eventually("both gateways to be heard") {
                let all = try await stats(first, "?scope=all")
                return all["completed"]?.integer == 3 ? all : nil
            }
            #expect(all["gateways"]?.elements.count == 2)
            #expect(all["notHeard"]?.elements.isEmpty == true)
            #expect(all["byProvider"]?["replay"]?["complete"]?.integer == 3)
            #expect(try await stats(first, "")["completed"]?.integer == 1)
            let open = try await output(
                of: "curl",
                ["-s", "\(first.url)/api/stream/stats?scope=all", "-o", "/dev/null", "-w"]
                    + ["%{http_code}"]
            )
            #expect(open == "403")

            second.program.kill()
            try await second.program.end()
            // What its silence does within twenty seconds.
            let socket = ["-s", server.socketPath]
            let names = try await output(
                of: "redis-cli",
                socket + ["ZRANGE", "weir:gateways", "0", "-1"]
            )
            #expect(names.split(separator: "\n").count == 2)
            for name in names.split(separator: "\n") {
                try await output(of: "redis-cli", socket + ["DEL", "weir:gateway:\(name)"])
            }
            let rest = try await stats(first, "?scope=all")
            #expect(rest["completed"]?.integer == 1)
            #expect(rest["gateways"]?.elements.count == 1)
            #expect(rest["notHeard"]?.elements.count == 1)
            let missed = rest["notHeard"]?.elements.first?["lastSeen"]?.string ?? ""
            #expect(missed.hasSuffix("Z") && missed.contains("T"))

            server.kill()
            let alone = try await stats(first, "?scope=all")
            #expect(alone["completed"]?.integer == 1)
            #expect(alone["problem"]?.string?.isEmpty == false)
            try server.start()
            try await first.stop()
            let left = try await output(
                of: "redis-cli",
                socket + ["ZRANGE", "weir:gateways", "0", "-1"]
            )
            #expect(!left.contains("first"))
        }
    }
}
