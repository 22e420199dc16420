import Foundation

/// A `redis-server` of the test's own, on a Unix socket in its own folder.
///
/// Every write is on disk before it is answered. It ends with `stop`, at the latest with its last
/// reference.
///
/// Proof for `@unchecked Sendable`: a test uses it from one task at a time.
package final class RedisServer: @unchecked Sendable {
    private let folder: ScratchFolder
    private let options: [String]
    private var process: Process?

    /// Starts a server.
    ///
    /// - Parameter options: further ones, such as `--maxmemory 1mb`.
    /// - Throws: when it cannot be started.
    package init(options: [String] = []) throws {
        folder = try ScratchFolder()
        self.options = options
        try start()
    }

    deinit { stop() }

    package var socketPath: String { folder.path("redis.sock") }
    package var url: String { "unix://\(socketPath)" }

    /// Starts it again, on the same data; it listens a little later.
    package func start() throws {
        precondition(process == nil, "it does not run")
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments =
            [
                "redis-server", "--port", "0", "--unixsocket", socketPath, "--dir", folder.path,
                "--appendonly", "yes", "--appendfsync", "always", "--save", "",
                "--maxmemory-policy", "noeviction", "--logfile", folder.path("redis.log"),
            ] + options
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        self.process = process
    }

    /// Ends it as a crash would: without any chance to write anything more.
    package func kill() {
        guard let process else { return }
        Foundation.kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
        self.process = nil
    }

    /// Ends it.
    package func stop() { kill() }

    /// Stops it from running, or lets it run on.
    package func setPaused(_ isPaused: Bool) {
        guard let process else { return }
        Foundation.kill(process.processIdentifier, isPaused ? SIGSTOP : SIGCONT)
    }
}
