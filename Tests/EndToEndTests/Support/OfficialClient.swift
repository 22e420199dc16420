import Foundation
import Replay
import TestSupport

/// OpenAI's own SDK for Python, from the environment that `Config/setup test` makes.
enum OfficialClient {
    /// Sends requests through the SDK.
    ///
    /// - Parameters:
    ///   - requests: as `sdk.py` reads them.
    ///   - url: the gateway.
    ///   - key: the API key.
    /// - Returns: the outcomes, in the same order.
    /// - Throws: `ProgramFailed`, `TookTooLong`.
    static func ask(
        _ requests: [JSONTree],
        at url: String,
        key: String
    ) async throws -> [JSONTree] {
        let python = "\(repositoryRoot())/.venv/bin/python3"
        guard FileManager.default.isExecutableFile(atPath: python) else {
            throw ProgramFailed(description: "there is no .venv: run Config/setup test first")
        }
        let lines = try await linesFromScript(
            python,
            [Place.client("sdk.py"), "\(url)/v1", key],
            input: requests
        )
        guard lines.count == requests.count else {
            throw ProgramFailed(
                description: "\(lines.count) outcomes of \(requests.count) requests"
            )
        }
        return lines
    }
}

/// Runs a script that reads and writes one JSON object in each line.
func linesFromScript(
    _ program: String,
    _ arguments: [String],
    input: [JSONTree],
    within limit: Duration = .seconds(150)
) async throws -> [JSONTree] {
    let text = input.map { String(decoding: $0.encoded ?? [], as: UTF8.self) + "\n" }.joined()
    let run = try RunningProgram(program, arguments, input: text)
    let status = try await run.end(within: limit)
    guard status == 0 else {
        throw ProgramFailed(description: "\(arguments) ended with \(status): \(run.errors)")
    }
    return run.output.split(separator: "\n").compactMap { jsonTree(String($0)) }
}
