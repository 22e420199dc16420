import Reactor
import RedisStreams
import TestSupport
import Testing

/// Who answers on a connection.
struct RedisIdentityTests {
    @Test func `a restarted server is another one`() async throws {
        let server = try RedisServer()
        try await withConnection(to: server.url) { connection in
            #expect(await connection.identity == nil)
            let seen = Guarded<[RedisIdentity?]>([])
            await connection.whenOpened { identity in seen.withLock { $0.append(identity) } }
            _ = try await connection.send(RedisCommand("PING"), within: .seconds(20))
            let first = try #require(await connection.identity)
            #expect(first.runID.utf8.count == 40)
            #expect(first.version.hasPrefix("7."))

            server.kill()
            try server.start()
            while (try? await connection.send(RedisCommand("PING"), within: .seconds(20))) == nil {}
            let second = try #require(await connection.identity)
            #expect(second.runID != first.runID)
            #expect(seen.withLock(\.self) == [first, second])
            #expect(connection.counts.opened == 2)
        }
    }

    @Test func `a new server is known before anything that waits is sent to it`() async throws {
        let server = try RedisServer()
        try await withConnection(to: server.url) { connection in
            let order = Guarded<[String]>([])
            await connection.whenOpened { _ in order.withLock { $0.append("opened") } }
            _ = try await connection.send(RedisCommand("PING"), within: .seconds(20))
            order.withLock { $0.append("answered") }
            #expect(order.withLock(\.self) == ["opened", "answered"])
        }
    }

    @Test func `a user who may not ask for it works without`() async throws {
        let server = try RedisServer(options: [
            "--user", "metering", "on", ">pw", "~weir:*", "+@stream", "+ping", "+select",
        ])
        let url = server.url.replacing("unix://", with: "unix://metering:pw@")
        try await withConnection(to: url) { connection in
            let reply = try await connection.send(RedisCommand("PING"), within: .seconds(20))
            #expect(reply == .status("PONG"))
            #expect(await connection.identity == nil)
            #expect(connection.counts.problem == nil)
        }
    }
}
