import Foundation
import Testing

/// The recorded bodies and what they hold.
enum RecordedBodies {
    struct Manifest: Decodable {
        let streams: [Stream]
        let errorBodies: [ErrorBody]
    }

    struct Stream: Decodable, CustomTestStringConvertible {
        struct Text: Decodable {
            let sha256: String
        }

        struct Call: Decodable {
            let name: String
            let arguments: Text
        }

        struct Usage: Decodable {
            let input: Int64?
            let output: Int64?
            let cachedInput: Int64?
            let cacheWrite: Int64?
            let reasoning: Int64?
        }

        let file: String
        let wireFormat: String
        let text: Text?
        let reasoningText: Text?
        let finishReason: String?
        let toolCalls: [Call]
        let usage: Usage?
        let terminalSeen: Bool
        let endsWithError: Bool

        var testDescription: String { file }
    }

    struct ErrorBody: Decodable, CustomTestStringConvertible {
        let file: String
        let status: Int

        var testDescription: String { file }
    }

    static let manifest: Manifest? = {
        guard let content = try? Data(contentsOf: url("MANIFEST.json")) else { return nil }
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return try? decoder.decode(Manifest.self, from: content)
    }()

    static let chat = (manifest?.streams ?? []).filter { $0.wireFormat == "openai-chat" }
    static let messages = (manifest?.streams ?? []).filter {
        $0.wireFormat == "anthropic-messages"
    }
    static let errors = manifest?.errorBodies ?? []

    static func bytes(_ file: String) throws -> [UInt8] {
        Array(try Data(contentsOf: url(file)))
    }

    private static func url(_ file: String) -> URL {
        var root = URL(fileURLWithPath: #filePath)
        while root.path != "/", root.lastPathComponent != "Tests" { root.deleteLastPathComponent() }
        return root.appendingPathComponent("Fixtures/streams/\(file)")
    }
}
