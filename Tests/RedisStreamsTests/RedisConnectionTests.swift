import Reactor
import RedisStreams
import StreamBytes
import TestSupport
import Testing

struct RedisConnectionTests {
    /// Sends PING to a server that answers as prepared.
    private func ping(
        answers: [String],
        closesAfterLast: Bool = false,
        limits: RedisLimits = RedisLimits(),
        timeout: Duration = .seconds(2)
    ) async throws -> (outcome: Result<RedisValue, RedisError>, connections: Int) {
        try await withReactor { group, reactor in
            // The first answer is the one to INFO, which opens the connection.
            let server = ScriptedServer(["$0\r\n\r\n"] + answers, closesAfterLast: closesAfterLast)
            let address = try group.listen(
                on: .v4(0x7F00_0001, port: 0),
                acceptor: server
            )
            let url = try RedisURL(parsing: "redis://127.0.0.1:\(address.port)")
            let connection = RedisConnection(to: url, on: reactor, limits: limits)
            let outcome: Result<RedisValue, RedisError>
            do throws(RedisError) {
                outcome = .success(try await connection.send(RedisCommand("PING"), within: timeout))
            } catch {
                outcome = .failure(error)
            }
            await connection.close()
            return (outcome, server.connections)
        }
    }

    @Test func `replies come back in the order of the commands`() async throws {
        let server = try RedisServer()
        try await withConnection(to: server.url) { connection in
            let commands = (0..<2_000).map { RedisCommand("ECHO", "word \($0)") }
            let replies = try await connection.send(commands)
            #expect(replies.map(\.text) == (0..<2_000).map { "word \($0)" })
        }
    }

    @Test func `batches of several callers do not mix`() async throws {
        let server = try RedisServer()
        try await withConnection(to: server.url) { connection in
            try await withThrowingTaskGroup { group in
                for caller in 0..<20 {
                    group.addTask {
                        for turn in 0..<20 {
                            let word = "\(caller)/\(turn)"
                            let reply = try await connection.send(RedisCommand("ECHO", word))
                            #expect(reply.text == word)
                        }
                    }
                }
                try await group.waitForAll()
            }
        }
    }

    @Test func `every kind of reply is read`() async throws {
        let server = try RedisServer()
        try await withConnection(to: server.url) { connection in
            let script = "return {1, 'two', {3, {false}}, redis.status_reply('FINE')}"
            let reply = try await connection.send(RedisCommand("EVAL", script, "0"))
            #expect(
                reply
                    == .array([
                        .integer(1), .bytes(Array("two".utf8)),
                        .array([.integer(3), .array([.null])]), .status("FINE"),
                    ])
            )
        }
    }

    @Test func `arguments may hold any text and be large`() async throws {
        let server = try RedisServer()
        try await withConnection(to: server.url) { connection in
            let text = String(repeating: "\r\n$5\r\n\0é😀", count: 100_000)
            let reply = try await connection.send(RedisCommand("ECHO", text))
            #expect(reply.text == text)
            #expect(try await connection.send(RedisCommand("ECHO", "")) == .bytes([]))
        }
    }

    @Test func `a refusal is thrown for one command and returned among several`() async throws {
        let server = try RedisServer()
        try await withConnection(to: server.url) { connection in
            let replies = try await connection.send([RedisCommand("NOPE"), RedisCommand("PING")])
            #expect(replies[0].refusal?.kind == .unknown)
            #expect(replies[1] == .status("PONG"))
            await #expect(throws: RedisError.self) {
                try await connection.send(RedisCommand("NOPE"))
            }
        }
    }

    @Test func `user, password and database are used`() async throws {
        let server = try RedisServer(options: ["--requirepass", "s3cret"])
        let url = server.url.replacing("unix://", with: "unix://:s3cret@") + "?db=2"
        try await withConnection(to: url) { connection in
            _ = try await connection.send(RedisCommand("SET", "key", "two"))
            let info = try await connection.send(RedisCommand("INFO", "keyspace"))
            #expect(info.text?.contains("db2:keys=1") == true)
        }
    }

    @Test func `a wrong password is named and nothing hangs`() async throws {
        let server = try RedisServer(options: ["--requirepass", "s3cret"])
        let url = server.url.replacing("unix://", with: "unix://:wrong@")
        try await withConnection(to: url) { connection in
            do {
                _ = try await connection.send(RedisCommand("PING"), within: .seconds(1))
                Issue.record("the password is wrong")
            } catch let error as RedisError {
                guard case .unavailable(let reason) = error else {
                    Issue.record("\(error)")
                    return
                }
                #expect(reason.contains("WRONGPASS"))
                #expect(!reason.contains("wrong@"))
            }
        }
    }

    @Test func `commands wait for a server that comes back`() async throws {
        let server = try RedisServer()
        try await withConnection(to: server.url) { connection in
            _ = try await connection.send(RedisCommand("SET", "key", "kept"))
            server.kill()
            async let reply = connection.send(RedisCommand("GET", "key"), within: .seconds(20))
            try server.start()
            // Sent on the broken connection it may fail once; whether it was done is then unknown.
            let first = try? await reply
            let second = try await connection.send(RedisCommand("GET", "key"), within: .seconds(20))
            #expect(first == nil || first?.text == "kept")
            #expect(second.text == "kept")
        }
    }

    @Test func `without a server a command fails at its deadline`() async throws {
        let folder = try ScratchFolder()
        try await withConnection(to: "unix://\(folder.path("none"))") { connection in
            let start = ContinuousClock.now
            do {
                _ = try await connection.send(RedisCommand("PING"), within: .milliseconds(300))
                Issue.record("there is no server")
            } catch let error as RedisError {
                guard case .unavailable = error else {
                    Issue.record("\(error)")
                    return
                }
            }
            #expect(ContinuousClock.now - start >= .milliseconds(300))
        }
    }

    @Test func `a server that does not answer is given up`() async throws {
        let server = try RedisServer()
        try await withConnection(to: server.url) { connection in
            _ = try await connection.send(RedisCommand("PING"), within: .seconds(10))
            server.setPaused(true)
            await #expect(throws: RedisError.timedOut) {
                try await connection.send(RedisCommand("PING"), within: .milliseconds(300))
            }
            server.setPaused(false)
            let reply = try await connection.send(RedisCommand("PING"), within: .seconds(10))
            #expect(reply == .status("PONG"))
        }
    }

    @Test func `what is no reply breaks the connection`() async throws {
        let (outcome, _) = try await ping(answers: ["HTTP/1.1 400 Bad Request\r\n\r\n"])

        guard case .failure(.protocolViolation) = outcome else {
            Issue.record("\(outcome)")
            return
        }
    }

    @Test func `a reply that nobody asked for breaks the connection`() async throws {
        let (outcome, _) = try await ping(answers: ["+PONG\r\n+PONG\r\n"])

        #expect(outcome == .failure(.protocolViolation("more replies than commands")))
    }

    @Test func `a server that answers and closes at once is heard and noticed`() async throws {
        let (outcome, _) = try await ping(answers: ["+PONG\r\n"], closesAfterLast: true)
        #expect(outcome == .success(.status("PONG")))
        let (other, _) = try await ping(answers: ["$5\r\nhe"], closesAfterLast: true)
        #expect(other == .failure(.connectionLost("the server closed the connection")))
    }

    @Test func `replies nested too deeply are refused`() async throws {
        let nested = String(repeating: "*1\r\n", count: 100) + ":1\r\n"

        let (outcome, _) = try await ping(answers: [nested])

        guard case .failure(.protocolViolation) = outcome else {
            Issue.record("\(outcome)")
            return
        }
    }

    @Test func `a length that is not kept ends at the limit or the deadline`() async throws {
        var limits = RedisLimits()
        limits.replyByteLimit = 1_000
        let long = "$100000000\r\n" + String(repeating: "x", count: 2_000)
        #expect(
            try await ping(answers: [long], limits: limits).outcome
                == .failure(.protocolViolation("tooLong"))
        )
        let many = "*2147483647\r\n:1\r\n"
        #expect(
            try await ping(answers: [many], timeout: .milliseconds(300)).outcome
                == .failure(.timedOut)
        )
    }

    @Test func `too much that waits is refused`() async throws {
        let folder = try ScratchFolder()
        var limits = RedisLimits()
        limits.waitingByteLimit = 100
        try await withConnection(to: "unix://\(folder.path("none"))", limits: limits) {
            connection in
            _ = await #expect(throws: RedisError.tooMuchWaiting) {
                try await connection.send(
                    RedisCommand("ECHO", String(repeating: "x", count: 200))
                )
            }
        }
    }

    @Test func `closing fails what waits`() async throws {
        let folder = try ScratchFolder()
        try await withConnection(to: "unix://\(folder.path("none"))") { connection in
            let reply = Task {
                try await connection.send(RedisCommand("PING"), within: .seconds(60))
            }
            await connection.close()
            await #expect(throws: RedisError.closed) { try await reply.value }
        }
    }
}
