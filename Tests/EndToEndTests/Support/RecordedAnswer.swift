import Cryptography
import Foundation
import Replay

/// Reads a JSON text.
func jsonTree(_ text: String) -> JSONTree? { JSONTree(parsing: [UInt8](text.utf8)) }

/// What the manifest of the recorded bodies says of one of them.
struct RecordedAnswer: Sendable {
    let tree: JSONTree

    static let all: [RecordedAnswer] = {
        let data = FileManager.default.contents(atPath: "\(Place.recordedBodies)/MANIFEST.json")
        let tree = JSONTree(parsing: [UInt8](data ?? Data()))
        return tree?["streams"]?.elements.map(RecordedAnswer.init) ?? []
    }()

    static func named(_ name: String) -> RecordedAnswer? { all.first { $0.name == name } }

    /// The file without its ending; what `weir-replay` calls its model.
    var name: String {
        (tree["file"]?.string ?? "").split(separator: ".").dropLast().joined(separator: ".")
    }
    var format: String { tree["wire_format"]?.string ?? "" }
    /// Whether it is an answer that a provider ended itself, and well: some never send `[DONE]`.
    var isWhole: Bool {
        guard tree["ends_with_error"]?.boolean == false, tree["error"] == .null else {
            return false
        }
        return tree["terminal_seen"]?.boolean == true || finish != nil
    }
    /// Whether the provider came as far as to count all tokens.
    var hasFinalUsage: Bool { isWhole || tree["terminal_seen"]?.boolean == true }
    var textDigest: String { tree["text"]?["sha256"]?.string ?? "" }
    var finish: String? { tree["finish_reason"]?.string }

    /// The manifest's count for the provider's own words; nil where it sent none.
    func usage(_ name: String) -> Int? { tree["usage"]?[name]?.integer.map(Int.init) }

    /// Input tokens, caches included.
    var input: Int? {
        guard format == "anthropic-messages" else { return usage("input") }
        return usage("input").map {
            $0 + (usage("cached_input") ?? 0) + (usage("cache_write") ?? 0)
        }
    }
}

/// The text of an answer in OpenAI's chunks.
func text(ofChunks body: String) -> String {
    body.split(separator: "\n").compactMap { line in
        guard line.hasPrefix("data: {") else { return nil }
        return jsonTree(String(line.dropFirst(6)))?["choices"]?.elements.first?["delta"]?[
            "content"
        ]?
        .string
    }.joined()
}

func digest(_ text: String) -> String { SHA256Digest(of: text).hexadecimal }
