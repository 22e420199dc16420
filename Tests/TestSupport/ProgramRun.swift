import Foundation

/// A program that a test ran to its end.
package struct ProgramRun: Sendable {
    /// The exit status, or 128 and the signal's number.
    package let status: Int32
    package let output: String
    package let errors: String

    /// Runs a program and waits for it.
    ///
    /// - Parameters:
    ///   - program: looked for in `PATH` unless it holds a slash.
    ///   - arguments: those after the program's name.
    ///   - input: what it reads on its standard input.
    ///   - environment: added to this process' own.
    ///   - folder: where it starts; nil: where the tests run.
    /// - Throws: when the program cannot be started.
    package init(
        _ program: String,
        _ arguments: [String],
        input: [UInt8] = [],
        environment: [String: String] = [:],
        in folder: String? = nil
    ) throws {
        // Files, not pipes: neither side can wait for the other, whatever the sizes.
        let files = try ScratchFolder()
        try Data(input).write(to: files.url("input"))
        let child = try ChildProgram(
            [program] + arguments,
            environment: ProcessInfo.processInfo.environment.merging(environment) { $1 },
            in: folder,
            streams: .init(
                input: files.path("input"),
                output: files.path("output"),
                errors: files.path("errors")
            )
        )
        status = child.wait()
        output = String(decoding: try Data(contentsOf: files.url("output")), as: UTF8.self)
        errors = String(decoding: try Data(contentsOf: files.url("errors")), as: UTF8.self)
    }
}

/// A new, empty folder that goes away with its value's last reference.
package final class ScratchFolder: Sendable {
    package let path: String

    package init() throws {
        let url = FileManager.default.temporaryDirectory
            .appendingPathComponent("weir-test-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
        path = url.path
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// The path of a file in the folder.
    package func path(_ name: String) -> String { "\(path)/\(name)" }

    /// Writes a file into the folder and returns its path.
    package func write(_ name: String, _ text: String) throws -> String {
        try Data(text.utf8).write(to: url(name))
        return path(name)
    }

    func url(_ name: String) -> URL { URL(fileURLWithPath: path(name)) }
}

/// The root of the repository, found from the file that asks.
package func repositoryRoot(_ file: String = #filePath) -> String {
    var url = URL(fileURLWithPath: file)
    while url.path != "/" {
        url.deleteLastPathComponent()
        if FileManager.default.fileExists(atPath: url.appendingPathComponent("Package.swift").path)
        {
            break
        }
    }
    return url.path
}
