import Foundation
import Service
import Telemetry
import TestSupport
import Testing

/// Real servers: each test has its own data directory.
@Suite(.serialized) struct PrivateRedisTests {
    private let scratch: ScratchFolder
    private let log = CollectedLog()

    init() throws { scratch = try ScratchFolder() }

    private func command(_ redis: PrivateRedis, _ words: String...) throws -> String {
        let run = try ProgramRun("redis-cli", ["-s", redis.socketPath] + words)
        return run.output.trimmingCharacters(in: .whitespacesAndNewlines)
    }

    private func wait(_ limit: Duration = .seconds(20), until condition: () -> Bool) -> Bool {
        let clock = ContinuousClock()
        let deadline = clock.now + limit
        while !condition() {
            if clock.now > deadline { return false }
            usleep(10_000)
        }
        return true
    }

    @Test func `it answers, writes every command at once, and drops nothing`() throws {
        let redis = try PrivateRedis(directory: scratch.path, log: log)
        defer { redis.stop() }

        #expect(redis.isReady)
        #expect(redis.socketPath == scratch.path("redis.sock"))
        #expect(try command(redis, "config", "get", "appendfsync") == "appendfsync\nalways")
        #expect(try command(redis, "config", "get", "appendonly") == "appendonly\nyes")
        #expect(
            try command(redis, "config", "get", "maxmemory-policy")
                == "maxmemory-policy\nnoeviction"
        )
        #expect(try command(redis, "config", "get", "port") == "port\n0")
        #expect(try command(redis, "config", "get", "dir") == "dir\n" + scratch.path("redis"))
    }

    @Test func `a folder with a space and a quote in its name will do`() throws {
        let folder = scratch.path("a \"b' c")
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)

        let redis = try PrivateRedis(directory: folder, log: log)
        defer { redis.stop() }

        #expect(try command(redis, "ping") == "PONG")
    }

    @Test func `what it holds outlives it`() throws {
        let first = try PrivateRedis(directory: scratch.path, log: log)
        #expect(try command(first, "set", "key", "value") == "OK")
        first.stop()

        let second = try PrivateRedis(directory: scratch.path, log: log)
        defer { second.stop() }

        #expect(try command(second, "get", "key") == "value")
        #expect(!first.isReady || second.isReady)
    }

    @Test func `it is started again when it is killed, with what it held`() throws {
        let redis = try PrivateRedis(directory: scratch.path, log: log)
        defer { redis.stop() }
        _ = try command(redis, "set", "key", "value")
        let first = try #require(redis.processID)

        kill(first, SIGKILL)

        #expect(wait { redis.exits == 1 && redis.isReady })
        #expect(redis.processID != first)
        #expect(try command(redis, "get", "key") == "value")
        #expect(log.events == ["child_started", "child_ended", "child_started"])
        #expect(log.lines[1].level == .error)
    }

    @Test func `it is in a process group of its own and takes SIGTERM`() throws {
        let redis = try PrivateRedis(directory: scratch.path, log: log)
        defer { redis.stop() }
        let processID = try #require(redis.processID)

        #expect(getpgid(processID) == processID)
        let status = try String(contentsOfFile: "/proc/\(processID)/status", encoding: .utf8)
        #expect(status.contains("SigBlk:\t0000000000000000"))
    }

    @Test func `stopping ends it for good`() throws {
        let redis = try PrivateRedis(directory: scratch.path, log: log)
        let processID = try #require(redis.processID)

        redis.stop()

        #expect(redis.processID == nil)
        #expect(kill(processID, 0) == -1)
        #expect(log.events == ["child_started", "child_ended"])
        #expect(log.lines[1].level == .info)
    }

    @Test func `it is gone when its parent is killed`() async throws {
        await #expect(processExitsWith: .signal(SIGKILL)) { [folder = scratch.path as String] in
            let redis = try PrivateRedis(directory: folder, log: NoLog())
            let processID = try #require(redis.processID)
            try Data("\(processID)".utf8).write(to: URL(fileURLWithPath: "\(folder)/pid"))
            kill(getpid(), SIGKILL)
        }
        let text = try String(contentsOfFile: scratch.path("pid"), encoding: .utf8)
        let processID = try #require(Int32(text))

        #expect(wait { kill(processID, 0) == -1 || isZombie(processID) })
        let next = try PrivateRedis(directory: scratch.path, log: log)
        defer { next.stop() }
        #expect(try command(next, "ping") == "PONG")
    }

    private func isZombie(_ processID: Int32) -> Bool {
        let text = try? String(contentsOfFile: "/proc/\(processID)/stat", encoding: .utf8)
        return text?.contains(") Z ") ?? true
    }

    @Test func `a long path falls back to the runtime directory`() throws {
        let folder = scratch.path(String(repeating: "long", count: 25))
        let runtime = scratch.path("run")
        for path in [folder, runtime] {
            try FileManager.default.createDirectory(
                atPath: path,
                withIntermediateDirectories: false
            )
        }
        var environment = ProcessInfo.processInfo.environment
        environment["XDG_RUNTIME_DIR"] = runtime

        let redis = try PrivateRedis(directory: folder, environment: environment, log: log)
        defer { redis.stop() }

        #expect(redis.socketPath.hasPrefix("\(runtime)/weir-"))
        #expect(redis.socketPath.utf8.count <= 107)
        #expect(try command(redis, "ping") == "PONG")
    }

    @Test func `without the program it says which package to install`() throws {
        let error = PrivateRedisError.notInstalled(program: "redis-server", package: "redis-server")

        #expect("\(error)".contains("apt-get install redis-server"))
    }

    @Test func `a server that cannot start is reported with its last words`() throws {
        let folder = scratch.path("redis/appendonlydir")
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try Data("nonsense\n".utf8).write(
            to: URL(fileURLWithPath: "\(folder)/appendonly.aof.manifest")
        )

        do {
            let redis = try PrivateRedis(directory: scratch.path, log: log)
            redis.stop()
            Issue.record("it started")
        } catch {
            guard case .died(_, let words) = error else {
                Issue.record("\(error)")
                return
            }
            #expect(!words.isEmpty)
        }
    }

    @Test func `pauses between restarts grow, and shrink again after a quiet minute`() {
        var backoff = RestartBackoff()

        let pauses = (0..<9).map { _ in backoff.pause(afterLiving: .seconds(1)) }

        #expect(pauses.prefix(3) == [.milliseconds(100), .milliseconds(200), .milliseconds(400)])
        #expect(pauses.last == .seconds(10))
        #expect(backoff.pause(afterLiving: .seconds(60)) == .milliseconds(100))
    }
}
