import Foundation
import TestSupport

/// A program that runs beside the test, and is killed at the latest with its last reference.
final class RunningProgram: Sendable {
    private let process: ChildProgram
    private let files: ScratchFolder

    /// Starts a program.
    ///
    /// - Parameters:
    ///   - path: a path, or a name that `PATH` leads to.
    ///   - arguments: those after the program's name.
    ///   - input: what it reads on its standard input.
    /// - Throws: when it cannot be started.
    init(
        _ path: String,
        _ arguments: [String],
        input: String = ""
    ) throws {
        files = try ScratchFolder()
        let unset: Set = ["REDIS_URL", "DATABASE_URL"]
        process = try ChildProgram(
            [path] + arguments,
            environment: ProcessInfo.processInfo.environment.filter { !unset.contains($0.key) },
            in: repositoryRoot(),
            streams: .init(
                input: files.write("input", input),
                output: files.path("output"),
                errors: files.path("errors")
            )
        )
    }

    var processID: Int32 { process.processID }

    /// What it has written to its standard output.
    var output: String { text("output") }

    /// What it has written to its standard error.
    var errors: String { text("errors") }

    /// Its exit status, or 128 and the signal's number; nil while it runs.
    var status: Int32? { process.status }

    /// How many descriptors it has open.
    var descriptorCount: Int {
        get throws {
            try FileManager.default.contentsOfDirectory(atPath: "/proc/\(processID)/fd").count
        }
    }

    /// What its open descriptors are, for the message of a failure.
    var descriptorNames: [String] {
        get throws {
            let folder = "/proc/\(processID)/fd"
            return try FileManager.default.contentsOfDirectory(atPath: folder).map {
                (try? FileManager.default.destinationOfSymbolicLink(atPath: "\(folder)/\($0)"))
                    ?? $0
            }
        }
    }

    func signal(_ number: Int32) { process.signal(number) }

    /// Ends it without asking.
    func kill() { process.signal(SIGKILL) }

    /// Waits for its end.
    ///
    /// - Returns: the status.
    @discardableResult
    func end(within limit: Duration = .seconds(60)) async throws -> Int32 {
        try await eventually("the end of a program; \(errors.suffix(500))", within: limit) {
            status
        }
    }

    private func text(_ name: String) -> String {
        let data = FileManager.default.contents(atPath: files.path(name)) ?? Data()
        return String(decoding: data, as: UTF8.self)
    }
}

/// Runs a program to its end.
///
/// - Returns: what it wrote to its standard output.
/// - Throws: `ProgramFailed` when it does not end with status 0.
@discardableResult
func output(
    of path: String,
    _ arguments: [String],
    within limit: Duration = .seconds(60)
) async throws -> String {
    let program = try RunningProgram(path, arguments)
    guard try await program.end(within: limit) == 0 else {
        throw ProgramFailed(
            description: "\(path) \(arguments): \(program.errors)\(program.output)"
        )
    }
    return program.output
}

struct ProgramFailed: Error, CustomStringConvertible {
    let description: String
}

/// Where the programs and files of a test are.
enum Place {
    /// A program that was built together with the tests.
    static func program(_ name: String) -> String { "\(folder)/\(name)" }

    /// Where they are.
    static var folder: String {
        let tests = CommandLine.arguments.first ?? ""
        return URL(fileURLWithPath: tests).deletingLastPathComponent().path
    }

    /// A file of these tests' own that other programs run.
    static func client(_ name: String) -> String {
        "\(repositoryRoot())/Tests/EndToEndTests/Clients/\(name)"
    }

    static var recordedBodies: String { "\(repositoryRoot())/Tests/Fixtures/streams" }
}
