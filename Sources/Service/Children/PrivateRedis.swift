import Cryptography
import Glibc
import StreamBytes
import Telemetry

/// A `redis-server` of this process' own: on a Unix socket, every write on disk before it is
/// answered, its files in the data directory.
package final class PrivateRedis: Sendable {
    /// Where it listens: an absolute path of at most 107 bytes.
    package let socketPath: String
    /// What it says of itself.
    package let logPath: String
    private let child: ChildProcess

    /// Starts the server and waits until it answers; loading a large file may take minutes.
    ///
    /// - Parameters:
    ///   - directory: the data directory; it must exist.
    ///   - environment: `PATH`, and `XDG_RUNTIME_DIR` where the socket's path would be too long.
    ///   - log: told of every start and death.
    ///   - limit: how long it may take until it answers at all.
    /// - Throws: `PrivateRedisError`.
    package init(
        directory: String,
        environment: [String: String] = ProcessEnvironment.variables,
        log: any LogSink,
        limit: Duration = .seconds(30)
    ) throws(PrivateRedisError) {
        guard let server = ChildCommand.find("redis-server", in: environment) else {
            throw .notInstalled(program: "redis-server", package: "redis-server")
        }
        guard let parentDeath = ChildCommand.find("setpriv", in: environment) else {
            throw .notInstalled(program: "setpriv", package: "util-linux")
        }
        let place: RedisPlace
        do throws(DataDirectoryError) {
            place = try RedisPlace(directory: directory, environment: environment)
        } catch {
            throw .noPlace(error)
        }
        socketPath = place.socketPath
        logPath = place.logPath
        do throws(ChildProcessError) {
            child = try ChildProcess(
                name: "redis-server",
                command: place.command(server),
                parentDeath: parentDeath,
                log: log
            )
        } catch {
            throw .notStarted(error)
        }
        if let error = failureToAnswer(limit: limit) {
            child.stop()
            throw error
        }
    }

    /// The server's process number; nil while it is dead.
    package var processID: Int32? { child.processID }

    /// How many times it has died.
    package var exits: Int { child.exits }

    /// Whether it answers now.
    package var isReady: Bool { RedisProbe.ask(socketPath) == .ready }

    /// Stops the server, which writes what it holds; killed when it takes longer than `limit`.
    package func stop(within limit: Duration = .seconds(10)) { child.stop(within: limit) }

    /// Waits for the first answer.
    private func failureToAnswer(limit: Duration) -> PrivateRedisError? {
        let deadline = MonotonicTimeLimit(limit)
        let loadingDeadline = MonotonicTimeLimit(.seconds(1_800))
        while true {
            switch RedisProbe.ask(socketPath) {
            case .ready: return nil
            case .loading where !loadingDeadline.isOver: break
            case .loading, .silent:
                if deadline.isOver { return .noAnswer(logPath: logPath, lastWords) }
            }
            if child.waitForExit(after: 0, atMost: .milliseconds(20)) {
                return .died(logPath: logPath, lastWords)
            }
        }
    }

    /// The last line of its log that says something.
    private var lastWords: String {
        let bytes = (try? Files.read(logPath, limit: 64 << 20)) ?? []
        let lines = String(decoding: bytes.suffix(4_096), as: UTF8.self).split(separator: "\n")
        return lines.last.map { String($0).printable } ?? ""
    }
}

/// Where the private server keeps what.
struct RedisPlace {
    /// `sun_path` holds 108 bytes, the last of them 0.
    static let socketPathLimit = 107

    let socketPath: String
    let logPath: String
    private let folder: String
    private let lockPath: String

    init(directory: String, environment: [String: String]) throws(DataDirectoryError) {
        guard let resolved = unsafe realpath(directory, nil) else {
            throw .unusable(directory, FileError(number: errno))
        }
        let path = unsafe String(cString: resolved)
        unsafe free(resolved)
        folder = "\(path)/redis"
        logPath = "\(path)/redis.log"
        lockPath = "\(path)/redis.lock"
        try DataDirectory.makeFolder(folder)
        let usual = "\(path)/redis.sock"
        socketPath =
            usual.utf8.count <= Self.socketPathLimit
            ? usual : try Self.runtimeSocket(of: path, environment)
    }

    func command(_ server: String) -> ChildCommand {
        ChildCommand(
            path: server,
            arguments: [
                "--port", "0", "--unixsocket", socketPath, "--unixsocketperm", "600",
                "--dir", folder, "--appendonly", "yes", "--appendfsync", "always",
                "--maxmemory-policy", "noeviction", "--save", "", "--daemonize", "no",
                "--supervised", "no", "--logfile", "",
            ],
            logPath: logPath,
            lockPath: lockPath
        )
    }

    /// Returns a shorter path, in a folder that only this user can enter.
    private static func runtimeSocket(
        of path: String,
        _ environment: [String: String]
    ) throws(DataDirectoryError) -> String {
        let hash = SHA256Digest(of: path).hexadecimal.prefix(12)
        var folder = "/tmp/weir-\(getuid())-\(hash)"
        if let runtime = environment["XDG_RUNTIME_DIR"], runtime.hasPrefix("/"),
            "\(runtime)/weir-\(hash)/redis.sock".utf8.count <= socketPathLimit
        {
            folder = "\(runtime)/weir-\(hash)"
        }
        try DataDirectory.makeFolder(folder)
        var status = stat()
        guard unsafe lstat(folder, &status) == 0 else {
            throw .unusable(folder, FileError(number: errno))
        }
        // Others may write to /tmp: the folder must not be one that somebody else laid out.
        guard status.st_mode & S_IFMT == S_IFDIR, status.st_uid == getuid(),
            status.st_mode & 0o077 == 0
        else { throw .unusable(folder, .notPermitted) }
        return "\(folder)/redis.sock"
    }
}

/// Why there is no private Redis.
package enum PrivateRedisError: Error, Equatable, CustomStringConvertible {
    case notInstalled(program: String, package: String)
    case noPlace(DataDirectoryError)
    case notStarted(ChildProcessError)
    /// It ended before it answered; its last words.
    case died(logPath: String, String)
    /// It runs and does not answer; its last words.
    case noAnswer(logPath: String, String)

    package var description: String {
        switch self {
        case .notInstalled(let program, let package):
            "\(program) is not installed: apt-get install \(package), or set redis.url"
        case .noPlace(let error): "\(error)"
        case .notStarted(.noThread): "the system refuses another thread"
        case .notStarted(.notStarted(.system(EBUSY))):
            "an earlier redis-server still holds the data directory"
        case .notStarted(.notStarted(let error)): "redis-server \(error)"
        case .died(let path, let words): "redis-server ended at once (\(path)): \(words)"
        case .noAnswer(let path, let words): "redis-server does not answer (\(path)): \(words)"
        }
    }
}
