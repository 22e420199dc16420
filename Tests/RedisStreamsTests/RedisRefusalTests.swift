import Reactor
import RedisStreams
import StreamBytes
import TestSupport
import Testing

/// What servers refuse, each told apart from the others, and how a connection goes on after it.
@Suite(.serialized) struct RedisRefusalTests {
    private static let patience = Duration.seconds(20)

    /// Sees that a command meets a refusal of that kind, or none.
    private func expect(
        _ kind: RedisRefusal.Kind?,
        of connection: RedisConnection,
        _ words: String...,
        at place: SourceLocation = #_sourceLocation
    ) async throws {
        do throws(RedisError) {
            let reply = try await connection.send(RedisCommand(words), within: Self.patience)
            #expect(kind == nil, "\(reply)", sourceLocation: place)
        } catch {
            guard case .refused(let refusal) = error else { throw error }
            #expect(refusal.kind == kind, sourceLocation: place)
        }
    }

    /// Asks again until the server does as asked.
    private func untilDone(_ connection: RedisConnection, _ words: String...) async throws {
        let end = ContinuousClock.now + Self.patience
        while ContinuousClock.now < end {
            if (try? await connection.send(RedisCommand(words), within: .seconds(1))) != nil {
                return
            }
        }
        Issue.record("\(words) is refused for too long: \(connection.counts)")
    }

    @Test func `no memory left`() async throws {
        let server = try RedisServer(options: RedisServer.inMemory)
        try await withConnection(to: server.url) { connection in
            try await expect(nil, of: connection, "CONFIG", "SET", "maxmemory", "1")
            try await expect(.oom, of: connection, "XADD", "s", "*", "a", "b")
            try await expect(nil, of: connection, "CONFIG", "SET", "maxmemory", "0")
            try await expect(nil, of: connection, "XADD", "s", "*", "a", "b")
            #expect(connection.counts.refusals == ["oom": 1])
            #expect(connection.counts.opened == 1)
        }
    }

    @Test func `a replica is left, so that the primary can be found`() async throws {
        let server = try RedisServer(options: RedisServer.inMemory)
        try await withConnection(to: server.url) { connection in
            // Nothing listens on port 1: it stays a replica without a primary.
            try await expect(nil, of: connection, "REPLICAOF", "127.0.0.1", "1")
            try await expect(.readonly, of: connection, "XADD", "s", "*", "a", "b")
            #expect(connection.counts.refusals == ["readonly": 1])
            #expect(connection.counts.problem?.contains("must lead to the primary") == true)

            try await untilDone(connection, "REPLICAOF", "NO", "ONE")
            try await untilDone(connection, "XADD", "s", "*", "a", "b")
            #expect(connection.counts.opened == 2)
            #expect(connection.counts.problem == nil)
        }
    }

    @Test func `a script that is not there, and what the user may not`() async throws {
        let server = try RedisServer(
            options: RedisServer.inMemory + [
                "--user", "metering", "on", ">pw", "~weir:*", "+@all", "-xdel",
            ]
        )
        let url = server.url.replacing("unix://", with: "unix://metering:pw@")
        try await withConnection(to: url) { connection in
            let sum = String(repeating: "0", count: 40)
            try await expect(.noscript, of: connection, "EVALSHA", sum, "0")
            try await expect(.noperm, of: connection, "XDEL", "weir:s", "1-1")
            try await expect(.noperm, of: connection, "XADD", "other", "*", "a", "b")
            try await expect(nil, of: connection, "XADD", "weir:s", "*", "a", "b")
            try await expect(.other, of: connection, "XLEN")
            try await expect(.wrongtype, of: connection, "GET", "weir:s")
        }
    }

    @Test func `a password that is asked for`() async throws {
        let server = try RedisServer(options: RedisServer.inMemory + ["--requirepass", "s3cret"])
        try await withConnection(to: server.url) { connection in
            await #expect(throws: RedisError.self) {
                try await connection.send(RedisCommand("PING"), within: .seconds(1))
            }
            #expect(connection.counts.opened == 0)
            #expect(connection.counts.failures["noauth"] ?? 0 > 0)
            #expect(connection.counts.problem?.hasPrefix("NOAUTH") == true)
        }
    }

    @Test func `a user that is taken away while connected, and given back`() async throws {
        let server = try RedisServer(options: RedisServer.inMemory)
        try await withConnection(to: server.url) { admin in
            let make = ["ACL", "SETUSER", "ada", "on", ">one", "~*", "+@all"]
            _ = try await admin.send(RedisCommand(make), within: Self.patience)
            let url = server.url.replacing("unix://", with: "unix://ada:one@")
            try await withConnection(to: url) { connection in
                try await expect(nil, of: connection, "PING")
                try await expect(nil, of: admin, "ACL", "DELUSER", "ada")
                while connection.counts.failures["wrongpass"] == nil {
                    _ = try? await connection.send(RedisCommand("PING"), within: .seconds(1))
                }
                #expect(connection.counts.problem?.hasPrefix("WRONGPASS") == true)
                #expect(connection.counts.problem?.contains("one") == false)

                _ = try await admin.send(RedisCommand(make), within: Self.patience)
                try await untilDone(connection, "PING")
                #expect(connection.counts.problem == nil)
            }
        }
    }

    @Test func `a server that reads its data`() async throws {
        let server = try RedisServer()
        try await withConnection(to: server.url) { connection in
            for part in 0..<4 {
                let commands = (0..<1_000).map { RedisCommand("SET", "k\(part)-\($0)", "v") }
                _ = try await connection.send(commands, within: Self.patience)
            }
            server.kill()
            // Slow enough to be seen: a tenth of a millisecond for each of 4,000 keys.
            try server.start(options: ["--key-load-delay", "100"])
            while connection.counts.failures["loading"] == nil {
                _ = try? await connection.send(RedisCommand("GET", "k0-0"), within: .seconds(5))
            }
            try await untilDone(connection, "GET", "k0-0")
        }
    }

    @Test func `a script that does not end`() async throws {
        let server = try RedisServer(
            options: RedisServer.inMemory + ["--busy-reply-threshold", "10"]
        )
        try await withConnection(to: server.url) { first in
            try await withConnection(to: server.url) { second in
                try await expect(nil, of: second, "PING")
                async let endless = first.send(
                    RedisCommand("EVAL", "while true do end", "0"),
                    within: Self.patience
                )
                while second.counts.failures["busy"] == nil {
                    _ = try? await second.send(RedisCommand("PING"), within: .seconds(5))
                }
                try await expect(nil, of: second, "SCRIPT", "KILL")
                _ = try? await endless
                try await untilDone(second, "PING")
                #expect(second.counts.opened == 1)
            }
        }
    }

    @Test func `a node of a cluster`() async throws {
        let server = try RedisServer(
            options: RedisServer.inMemory + [
                "--cluster-enabled", "yes", "--port", "\(try RedisServer.freePort())",
                "--cluster-port", "\(try RedisServer.freePort())",
            ]
        )
        try await withConnection(to: server.url) { connection in
            try await expect(.clusterdown, of: connection, "GET", "a")
        }
    }

    @Test func `a server that is full`() async throws {
        let server = try RedisServer(options: RedisServer.inMemory)
        try await withConnection(to: server.url) { first in
            try await expect(nil, of: first, "CONFIG", "SET", "maxclients", "1")
            try await withConnection(to: server.url) { second in
                _ = try? await second.send(RedisCommand("PING"), within: .seconds(1))
                #expect(second.counts.opened == 0)
                try await expect(nil, of: first, "CONFIG", "SET", "maxclients", "9")
                try await untilDone(second, "PING")
            }
        }
    }

    @Test(arguments: [
        ("MOVED 3999 127.0.0.1:6381", RedisRefusal.Kind.moved),
        ("ASK 3999 127.0.0.1:6381", .ask),
        ("TRYAGAIN Multiple keys request during rehashing of slot", .tryagain),
        ("MISCONF Errors writing to the AOF file: No space left on device", .misconf),
        ("NOREPLICAS Not enough good replicas to write.", .noreplicas),
        ("MASTERDOWN Link with MASTER is down", .masterdown),
        ("LOADING Redis is loading the dataset in memory", .loading),
        ("DENIED Redis is running in protected mode", .denied),
        ("BUSYGROUP Consumer Group name already exists", .busygroup),
        ("BUSY Redis is busy running a script.", .busy),
        ("ERR max number of clients reached", .maxclients),
        ("ERR unknown command 'XAUTOCLAIM', with args beginning with:", .unknown),
        ("ERR AUTH <password> called without any password configured", .wrongpass),
        ("ERR syntax error", .other),
        ("loading in small letters is no kind", .other),
        ("", .other),
    ])
    func `the first word is the kind`(message: String, kind: RedisRefusal.Kind) {
        #expect(RedisRefusal(message).kind == kind)
        #expect(RedisValue.error(message).refusal?.kind == kind)
    }

    @Test func `every kind says what to do next`() {
        let texts = RedisRefusal.Kind.allCases.map { kind in
            RedisRefusal(kind.rawValue.uppercased()).advice
        }
        #expect(texts.allSatisfy { !$0.isEmpty })
    }
}

extension RedisCounts {
    /// Failures without those of a server that does not listen yet.
    fileprivate var refusals: [String: Int] { failures.filter { $0.key != "unavailable" } }
}
