import Foundation

/// A PostgreSQL cluster of the tests' own, on a Unix socket in its own folder.
///
/// PostgreSQL refuses to run as root; it runs as `postgres` then. It ends when this process ends,
/// however that comes about: a pipe tells it.
///
/// Proof for `@unchecked Sendable`: a test uses it from one task at a time; `shared` only makes
/// databases, under a lock.
package final class PostgreSQLServer: @unchecked Sendable {
    /// Why there is no server, in one sentence.
    package struct Unavailable: Error, CustomStringConvertible {
        package let description: String
    }

    /// One for all tests that only need a database of their own; nil with the reason behind it.
    private static let common = Result { try PostgreSQLServer() }
    private static let lock = NSLock()

    /// A new, empty database of the common server.
    package static func database() throws -> String {
        try lock.withLock { try common.get().makeDatabase() }
    }

    private let folder: ScratchFolder
    private let programs: String
    private let options: [String]
    private var process: ChildProgram?
    /// The writing end of the pipe that says that this process is alive.
    private var lifeline: Int32 = -1
    private var databaseCount = 0

    /// Makes a cluster and starts it.
    ///
    /// - Parameter options: settings, such as `max_connections=20`.
    /// - Throws: `Unavailable` when PostgreSQL is not there or does not start.
    package init(options: [String] = ["fsync=off"]) throws {
        folder = try ScratchFolder()
        self.options = options
        let root = "/usr/lib/postgresql"
        let versions = (try? FileManager.default.contentsOfDirectory(atPath: root)) ?? []
        let newest = versions.max { (Int($0) ?? 0) < (Int($1) ?? 0) }
        guard let newest else {
            throw Unavailable(description: "PostgreSQL is not installed below \(root)")
        }
        programs = "\(root)/\(newest)/bin"
        try FileManager.default.createDirectory(
            atPath: folder.path("socket"),
            withIntermediateDirectories: false
        )
        try Self.check(ProgramRun("chmod", ["-R", "a+rwx", folder.path]))
        let made = try asServerUser([
            "\(programs)/initdb", "--pgdata", folder.path("data"), "--username", "weir",
            "--auth", "trust", "--encoding", "UTF8", "--no-locale", "--no-sync",
        ])
        try Self.check(made)
        try start()
    }

    deinit { stop() }

    /// Where the server listens.
    package var socketFolder: String { folder.path("socket") }

    /// The connection URI of a database.
    package func url(_ database: String) -> String {
        "postgresql://weir@/\(database)?host=\(socketFolder)"
    }

    /// Makes a new, empty database.
    ///
    /// - Returns: its connection URI.
    /// - Throws: `Unavailable`.
    package func makeDatabase() throws -> String {
        databaseCount += 1
        try run("CREATE DATABASE test\(databaseCount)", in: "postgres")
        return url("test\(databaseCount)")
    }

    /// Runs statements with PostgreSQL's own program, and returns what it prints.
    @discardableResult
    package static func run(_ statements: String, at url: String) throws -> String {
        let run = try ProgramRun(
            "psql",
            ["--no-psqlrc", "-qAt", "-v", "ON_ERROR_STOP=1", "-c", statements, url]
        )
        try check(run)
        return run.output.last == "\n" ? String(run.output.dropLast()) : run.output
    }

    @discardableResult
    package func run(_ statements: String, in database: String) throws -> String {
        try Self.run(statements, at: url(database))
    }

    /// Starts it again, on the same data, and waits until it listens.
    package func start() throws {
        precondition(process == nil, "it does not run")
        let settings = ["listen_addresses=", "unix_socket_directories=\(socketFolder)"] + options
        let command =
            Self.userChange + ["\(programs)/postgres", "-D", folder.path("data")]
            + settings.flatMap { ["-c", $0] }
        // The shell waits for the end of its input: for this process to end.
        let script = #""$@" </dev/null & child=$!; cat >/dev/null; kill -QUIT $child; wait $child"#
        let log = folder.path("server.log")
        let process = try ChildProgram(
            ["/bin/sh", "-c", script, "sh"] + command,
            streams: .init(input: try openLifeline(), output: log, errors: log)
        )
        self.process = process
        let ready = try ProgramRun(
            "\(programs)/pg_isready",
            ["--quiet", "--host", socketFolder, "--timeout", "0"]
        )
        var status = ready.status
        var tries = 0
        while status != 0, tries < 600, process.status == nil {
            tries += 1
            usleep(50_000)
            status = try ProgramRun(
                "\(programs)/pg_isready",
                ["--quiet", "--host", socketFolder, "--timeout", "1"]
            ).status
        }
        guard status == 0 else {
            let text = (try? String(contentsOfFile: log, encoding: .utf8)) ?? ""
            throw Unavailable(description: "PostgreSQL does not start: \(text)")
        }
    }

    /// Ends it as a crash would: without any chance to write anything more.
    package func kill() { end(SIGKILL) }

    /// Ends it at once, its connections cut.
    package func stop() { end(SIGQUIT) }

    private func end(_ signal: Int32) {
        guard let process else { return }
        let path = folder.path("data/postmaster.pid")
        let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
        if let line = text.split(separator: "\n").first, let id = Int32(line) {
            Foundation.kill(id, signal)
        }
        close(lifeline)
        process.wait()
        self.process = nil
        try? FileManager.default.removeItem(atPath: path)
    }

    /// A pipe with a name, which can be opened for reading at once: its writing end is open.
    private func openLifeline() throws -> String {
        let path = folder.path("lifeline")
        unsafe unlink(path)
        guard unsafe mkfifo(path, 0o600) == 0 else {
            throw Unavailable(description: "no pipe can be made in \(folder.path)")
        }
        lifeline = unsafe open(path, O_RDWR | O_CLOEXEC)
        return path
    }

    private func asServerUser(_ command: [String]) throws -> ProgramRun {
        let words = Self.userChange + command
        return try ProgramRun(words[0], Array(words.dropFirst()), in: "/")
    }

    private static var userChange: [String] {
        getuid() == 0
            ? ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] : []
    }

    private static func check(_ run: ProgramRun) throws {
        guard run.status == 0 else { throw Unavailable(description: run.errors + run.output) }
    }
}
