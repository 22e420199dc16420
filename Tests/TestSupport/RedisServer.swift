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
    private var process: ChildProgram?

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

    /// Options of a server that keeps nothing on disk, for tests that need no more.
    package static let inMemory = ["--appendonly", "no"]

    /// A TCP port of 127.0.0.1 on which nothing listens at the moment.
    package static func freePort() throws -> UInt16 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw CocoaError(.featureUnsupported) }
        defer { close(descriptor) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isBound = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                unsafe bind(descriptor, pointer, size) == 0
                    && getsockname(descriptor, pointer, &size) == 0
            }
        }
        guard isBound else { throw CocoaError(.featureUnsupported) }
        return UInt16(bigEndian: address.sin_port)
    }

    package var socketPath: String { folder.path("redis.sock") }
    package var url: String { "unix://\(socketPath)" }

    /// Starts it again, on the same data; it listens a little later.
    ///
    /// - Parameter further: options besides those it was made with.
    /// - Throws: when it cannot be started.
    package func start(options further: [String] = []) throws {
        precondition(process == nil, "it does not run")
        process = try ChildProgram(
            [
                "redis-server", "--port", "0", "--unixsocket", socketPath, "--dir", folder.path,
                "--appendonly", "yes", "--appendfsync", "always", "--save", "",
                "--maxmemory-policy", "noeviction", "--logfile", folder.path("redis.log"),
            ] + options + further
        )
    }

    /// Ends it as a crash would: without any chance to write anything more.
    package func kill() {
        process?.kill()
        process = nil
    }

    /// Removes its data; it must have ended.
    package func forgetEverything() throws {
        precondition(process == nil, "it does not run")
        try FileManager.default.removeItem(atPath: logFolder)
    }

    /// Cuts the end off the log of its writes, as a power cut does; it must have ended.
    package func cutLog(byteCount: Int) throws {
        precondition(process == nil, "it does not run")
        let names = try FileManager.default.contentsOfDirectory(atPath: logFolder)
        guard let name = names.filter({ $0.hasSuffix(".incr.aof") }).max() else { return }
        let file = try FileHandle(forUpdating: URL(fileURLWithPath: "\(logFolder)/\(name)"))
        let size = try file.seekToEnd()
        try file.truncate(atOffset: size - min(size, UInt64(byteCount)))
        try file.close()
    }

    private var logFolder: String { folder.path("appendonlydir") }

    /// Ends it.
    package func stop() { kill() }

    /// Stops it from running, or lets it run on.
    package func setPaused(_ isPaused: Bool) {
        process?.signal(isPaused ? SIGSTOP : SIGCONT)
    }
}
