import Service
import TestSupport
import Testing
import YAMLText

/// `Config/weir.yaml` against what the parser knows.
struct DefaultFileTests {
    private let text: String

    init() throws {
        text = String(
            decoding: try Files.read("\(repositoryRoot())/Config/weir.yaml", limit: 1_048_576),
            as: UTF8.self
        )
    }

    /// The file with every commented-out key switched on.
    private var everything: String {
        text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
            line.hasPrefix("#") && !line.hasPrefix("# ") && line != "#"
                || line.hasPrefix("#  ") ? String(line.dropFirst()) : String(line)
        }.joined(separator: "\n")
    }

    private func load(_ text: String) throws(ConfigurationRefused) -> LoadedConfiguration {
        try ConfigurationLoader(path: "weir.yaml") { path throws(FileError) in
            path == "weir.yaml" ? Array(text.utf8) : try pricesOrNothing(path)
        }.load()
    }

    @Test func `as it stands it is the defaults`() throws {
        let loaded = try load(text)

        #expect(loaded.configuration == WeirConfiguration())
        #expect(loaded.warnings.isEmpty)
    }

    @Test func `every key that the parser knows stands in it, and no other`() throws {
        let root = try #require(try YAMLDocument.parse(everything))

        let written = root.keyPaths("")
        let known = ConfigurationKeys.all.map(\.path)

        #expect(written == known)
    }

    @Test func `the values that it shows are the defaults`() throws {
        let root = try #require(try YAMLDocument.parse(everything))
        let shown = Dictionary(root.leaves(""), uniquingKeysWith: { first, _ in first })

        let checked = try ConfigurationKeys.all.filter { key in
            guard let text = key.defaultText else { return false }
            let written = try #require(shown[key.path], "\(key.path) shows no value")
            #expect(ConfigurationKeys.canonical(written, of: key.path) == text, "\(key.path)")
            return true
        }

        #expect(checked.count > 30)
    }

    @Test func `every key has a line of documentation above it`() {
        let lines = everything.split(separator: "\n", omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() {
            let trimmed = line.drop { $0 == " " }
            guard !trimmed.isEmpty, !trimmed.hasPrefix("#") else { continue }
            let above = index == 0 ? "" : lines[index - 1].drop { $0 == " " }
            #expect(above.hasPrefix("# "), "\(line)")
        }
    }

    @Test func `with everything switched on only the two forms of a key exclude each other`() {
        #expect(throws: ConfigurationRefused.self) { try load(everything) }
        do {
            _ = try load(everything)
        } catch {
            #expect(
                error.mistakes.map(\.message).allSatisfy {
                    $0.contains("apiKeyFile") || $0.contains("does not exist")
                }
            )
        }
    }
}

/// The repository's own price list, wherever the tests run.
func pricesOrNothing(_ path: String) throws(FileError) -> [UInt8] {
    guard path == "Config/prices.json" else { throw .missing }
    return try Files.read("\(repositoryRoot())/\(path)", limit: 1_048_576)
}

extension YAMLNode {
    /// Every key of the tree, `[]` for the items of a list of maps.
    fileprivate func keyPaths(_ prefix: String) -> [String] {
        switch content {
        case .scalar: []
        case .sequence(let items): items.flatMap { $0.keyPaths("\(prefix)[]") }
        case .mapping(let entries):
            entries.flatMap { entry in
                let path = prefix.isEmpty ? entry.key : "\(prefix).\(entry.key)"
                return [path] + entry.value.keyPaths(path)
            }
        }
    }

    /// The values by their paths; lists of values as YAML writes them.
    fileprivate func leaves(_ prefix: String) -> [(String, String)] {
        switch content {
        case .scalar(let text, _): return [(prefix, text)]
        case .sequence(let items):
            let texts = items.compactMap { item in
                if case .scalar(let text, _) = item.content { text } else { nil }
            }
            if texts.count == items.count {
                return [(prefix, "[" + texts.joined(separator: ", ") + "]")]
            }
            return items.flatMap { $0.leaves("\(prefix)[]") }
        case .mapping(let entries):
            return entries.flatMap { entry in
                entry.value.leaves(prefix.isEmpty ? entry.key : "\(prefix).\(entry.key)")
            }
        }
    }
}
