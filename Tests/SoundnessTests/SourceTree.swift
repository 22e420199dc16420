import Foundation
import TestSupport

/// The Swift sources of the repository, as text.
struct SourceTree {
    struct File {
        /// Below the root of the repository.
        let path: String
        let lines: [Substring]

        /// The folder below `Sources` or `LoadTests`: the target.
        var target: String { String(path.split(separator: "/")[1]) }

        /// The modules that the file imports.
        var imports: [String] {
            lines.compactMap { line in
                var words = line.split(separator: " ")[...]
                while let word = words.first, word.hasPrefix("@") || Self.access.contains(word) {
                    words = words.dropFirst()
                }
                guard words.first == "import", let module = words.dropFirst().last else {
                    return nil
                }
                return String(module.split(separator: ".")[0])
            }
        }

        /// Returns the numbers, from 1, of the lines that match a regular expression.
        func lines(matching pattern: String) throws -> [Int] {
            let expression = try NSRegularExpression(pattern: pattern)
            return lines.enumerated().compactMap { index, line in
                let text = String(line)
                let whole = NSRange(text.startIndex..., in: text)
                let match = expression.firstMatch(in: text, range: whole)
                return match == nil ? nil : index + 1
            }
        }

        private static let access: Set<Substring> = ["package", "internal", "private", "public"]
    }

    let root: String

    init() { root = repositoryRoot() }

    /// The files below a folder whose names end in one of `extensions`, in order.
    func files(_ folder: String, _ extensions: [String] = ["swift"]) throws -> [File] {
        let base = "\(root)/\(folder)"
        guard let paths = FileManager.default.enumerator(atPath: base) else { return [] }
        let names = paths.compactMap { $0 as? String }.sorted()
        return try names.filter { name in extensions.contains { name.hasSuffix(".\($0)") } }.map {
            let text = try String(contentsOfFile: "\(base)/\($0)", encoding: .utf8)
            return File(
                path: "\(folder)/\($0)",
                lines: text.split(separator: "\n", omittingEmptySubsequences: false)
            )
        }
    }

    /// Every program and library source; not the tests.
    func sources() throws -> [File] {
        try files("Sources") + files("LoadTests") + files("Benchmarks") + files("Fuzzing")
    }

    /// The names of the folders in a folder, without programs in Python, which are no targets.
    func folders(_ folder: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: "\(root)/\(folder)").filter {
            let path = "\(root)/\(folder)/\($0)"
            let attributes = try FileManager.default.attributesOfItem(atPath: path)
            return attributes[.type] as? FileAttributeType == .typeDirectory
                && !FileManager.default.fileExists(atPath: "\(path)/__main__.py")
        }.sorted()
    }
}
