import Foundation
import TestSupport

/// A process of `weir` with a data directory, and what it said when it had started.
struct RunningWeir: Sendable {
    let program: RunningProgram
    let data: String
    /// Where it serves, such as `http://127.0.0.1:40123`; empty for `weir bill`.
    let url: String
    let admin: String
    /// The key that it made; empty where it made none.
    let key: String

    /// Starts it and waits until it serves.
    ///
    /// - Parameters:
    ///   - role: `up`, `serve` or `bill`.
    ///   - data: the data directory.
    ///   - configuration: the text of a configuration file; nil: the repository's own.
    ///   - settings: overrides, as `path=value`.
    ///   - options: further ones of the command line.
    /// - Returns: the process, serving.
    /// - Throws: `ProgramFailed`, `TookTooLong`.
    static func start(
        _ role: String = "up",
        data: String,
        configuration: String? = nil,
        settings: [String] = [],
        options: [String] = []
    ) async throws -> Self {
        let program = try run(
            role,
            data: data,
            configuration: configuration,
            settings: settings,
            options: options
        )
        let lines = try await eventually("weir \(role) to start; \(program.errors.suffix(800))") {
            guard program.status == nil else {
                throw ProgramFailed(description: "weir \(role): \(program.errors)")
            }
            let lines = program.output.split(separator: "\n").map(String.init)
            return lines.contains { $0.hasPrefix("curl ") || $0.hasSuffix("running") } ? lines : nil
        }
        func word(after start: String) -> String {
            let line = lines.first { $0.contains(start) } ?? ""
            return line.split(separator: " ").last.map(String.init) ?? ""
        }
        return Self(
            program: program,
            data: data,
            url: word(after: "listening on"),
            admin: word(after: "admin and metrics on"),
            key: word(after: "key for the account local")
        )
    }

    /// Starts it without waiting for anything.
    static func run(
        _ role: String = "up",
        data: String,
        configuration: String? = nil,
        settings: [String] = [],
        options: [String] = []
    ) throws -> RunningProgram {
        var arguments = [role, "--data", data] + options
        if let configuration {
            let path = "\(data).yaml"
            try Data(configuration.utf8).write(to: URL(fileURLWithPath: path))
            arguments += ["--config", path]
        }
        // The slots of what is killed stay: beside the data they go with the test.
        let folder = URL(fileURLWithPath: data).deletingLastPathComponent().path
        let own = ["listen=127.0.0.1:0", "admin=127.0.0.1:0", "metering.slots=\(folder)"]
        for setting in (role == "bill" ? [] : own) + settings {
            arguments += ["--set", setting]
        }
        return try RunningProgram(Place.program("weir"), arguments)
    }

    var port: String { url.split(separator: ":").last.map(String.init) ?? "" }

    /// The line that it offers for a first try.
    var curlLine: String {
        program.output.split(separator: "\n").last { $0.hasPrefix("curl ") }.map(String.init) ?? ""
    }

    var meter: MeterBook { MeterBook(socket: "\(data)/redis.sock") }
    var ledger: LedgerBook { LedgerBook(path: "\(data)/ledger.db") }

    /// Its log so far, one JSON object in each line.
    var log: [String] { program.errors.split(separator: "\n").map(String.init) }

    /// The log's lines about the ends of streams.
    var streamEnds: [String] { log.filter { $0.contains("\"stream_end\"") } }

    /// Tells it to end, and waits for that.
    func stop() async throws {
        program.signal(SIGTERM)
        let status = try await program.end()
        guard status == 0 else {
            throw ProgramFailed(description: "status \(status): \(program.errors.suffix(800))")
        }
    }
}

/// A `weir-replay` of the test's own.
struct RunningReplay: Sendable {
    let program: RunningProgram
    let url: String

    /// Starts it and waits until it listens; without arguments it has every recorded body.
    static func start(_ arguments: [String] = ["--dir", Place.recordedBodies]) async throws -> Self
    {
        let program = try RunningProgram(Place.program("weir-replay"), arguments)
        let url = try await eventually("weir-replay to start") {
            guard program.status == nil else {
                throw ProgramFailed(description: "weir-replay: \(program.errors)")
            }
            return program.output.split(separator: "\n").first { $0.contains("listening on") }?
                .split(separator: " ").last.map(String.init)
        }
        return Self(program: program, url: url)
    }

    /// What it counted: `requests`, `open`, `finished`, `abandoned` and so on.
    func count(_ name: String) async throws -> Int {
        let text = try await output(of: "curl", ["-s", "\(url)/counts"])
        return jsonTree(text)?[name]?.integer.map(Int.init) ?? -1
    }
}
