import Foundation
import TestSupport
import Testing

/// How the sources are written.
struct WritingTests {
    private let tree = SourceTree()

    @Test func `the formatter has nothing to say`() throws {
        let folders = ["Package.swift", "Sources", "Tests", "LoadTests", "Benchmarks", "Fuzzing"]
            .filter {
                FileManager.default.fileExists(atPath: "\(tree.root)/\($0)")
            }

        let run = try ProgramRun(
            "swift",
            ["format", "lint", "--strict", "--recursive", "--parallel"] + folders,
            in: tree.root
        )

        #expect(run.status == 0)
        #expect(run.errors.isEmpty, "\(run.errors)")
    }

    @Test func `the sources speak of the program alone`() throws {
        // Where and by whom something was written is no business of the source.
        let foreign = [
            #"/(work|home|Users|root)/"#, #"\b[Ii]ssue #?[0-9]"#,
            #"\bthis (issue|session|task|ticket)\b"#,
            #"\b([Hh]elper|[Ee]ngineer|[Cc]olleague)s?\b"#, #"\b(TODO|FIXME|XXX)\b"#,
        ].joined(separator: "|")
        let files =
            try tree.sources() + tree.files("Tests") + tree.files("Sources", ["h", "c", "md"])
            + tree.files("Config", ["yaml", "setup"]) + tree.files("Benchmarks", ["swift", "md"])
        for file in files where !file.path.hasSuffix("WritingTests.swift") {
            for number in try file.lines(matching: foreign) {
                Issue.record("\(file.path):\(number): \(file.lines[number - 1])")
            }
        }
    }

    @Test func `no expression pretends that it cannot fail`() throws {
        for file in try tree.sources() {
            for (number, line) in file.lines.enumerated()
            where !line.drop(while: { $0 == " " }).hasPrefix("//") {
                for word in ["try!", " as! ", "fatalError("] {
                    #expect(!line.contains(word), "\(file.path):\(number + 1)")
                }
            }
        }
    }

    @Test func `files stay short`() throws {
        for file in try tree.sources() {
            #expect(file.lines.count <= 500, "\(file.path) has \(file.lines.count) lines")
        }
    }
}
