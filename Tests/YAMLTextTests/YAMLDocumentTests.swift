import Testing
import YAMLText

struct YAMLDocumentTests {
    private func failure(_ text: String) -> YAMLError? {
        do {
            _ = try YAMLDocument.parse(text)
            return nil
        } catch {
            return error
        }
    }

    private func at(_ line: Int, _ column: Int) -> YAMLPosition {
        YAMLPosition(line: line, column: column)
    }

    @Test func `a tree keeps order, style and places`() throws {
        let root = try YAMLDocument.parse(
            """
            # comment
            b: one
            a:
              - 'two'
              - {x: "th\\tree"}
            """
        )

        let inner = YAMLEntry(
            key: "x",
            keyPosition: at(5, 6),
            value: YAMLNode(.scalar("th\tree", .doubleQuoted), at: at(5, 9))
        )
        let list = YAMLNode(
            .sequence([
                YAMLNode(.scalar("two", .singleQuoted), at: at(4, 5)),
                YAMLNode(.mapping([inner]), at: at(5, 5)),
            ]),
            at: at(4, 3)
        )
        #expect(
            root
                == YAMLNode(
                    .mapping([
                        YAMLEntry(
                            key: "b",
                            keyPosition: at(2, 1),
                            value: YAMLNode(.scalar("one", .plain), at: at(2, 4))
                        ),
                        YAMLEntry(key: "a", keyPosition: at(3, 1), value: list),
                    ]),
                    at: at(2, 1)
                )
        )
    }

    @Test(arguments: ["", "\n\n", "# nothing\n", "\u{FEFF}# mark\n"])
    func `a text without a document has no tree`(text: String) throws {
        #expect(try YAMLDocument.parse(text) == nil)
    }

    @Test func `an absent value is an empty plain scalar`() throws {
        let root = try YAMLDocument.parse("a:\nb: 1")

        guard case .mapping(let entries) = root?.content else {
            Issue.record("no mapping")
            return
        }
        #expect(entries[0].value.content == .scalar("", .plain))
    }

    @Test func `columns count characters, not bytes`() throws {
        let root = try YAMLDocument.parse("{é🌊: x}")

        guard case .mapping(let entries) = root?.content else {
            Issue.record("no mapping")
            return
        }
        #expect(entries[0].key == "é🌊")
        #expect(entries[0].value.position == at(1, 6))
    }

    @Test func `a key that stands twice is refused where it stands again`() {
        #expect(
            failure("a: 1\nb: {c: 1, c: 2}")
                == YAMLError(.duplicateKey("c", first: at(2, 5)), at: at(2, 11))
        )
    }

    @Test func `a second document is refused`() {
        #expect(failure("a: 1\n---\nb: 2\n") == YAMLError(.severalDocuments, at: at(2, 1)))
    }

    @Test(arguments: [
        ("a: &x 1\nb: *x", "aliases", 2, 4), ("a: !!int 1", "explicit tags", 1, 4),
        ("a: !include x", "explicit tags", 1, 4), ("a: !!map {}", "explicit tags", 1, 4),
    ])
    func `aliases and tags are refused by name`(
        text: String,
        what: String,
        line: Int,
        column: Int
    ) {
        #expect(failure(text) == YAMLError(.unsupported(what), at: at(line, column)))
    }

    @Test func `a key must be a scalar`() {
        #expect(failure("? [a]\n: b") == YAMLError(.keyIsNoScalar, at: at(1, 3)))
    }

    @Test(arguments: [
        ("a: [1, 2\n", 2, 1), ("a: 1\n  b: 2", 2, 4), ("a: \"x", 1, 6), ("\ta: 1", 1, 1),
        ("a: 1\nb: \u{1}", 2, 4),
    ])
    func `what is no YAML is refused at its place`(text: String, line: Int, column: Int) {
        let error = failure(text)

        guard case .syntax(let message) = error?.reason else {
            Issue.record("\(String(describing: error))")
            return
        }
        #expect(!message.isEmpty)
        #expect(error?.position.line == line)
        #expect(error?.position.column == column)
    }

    @Test func `bytes that are no UTF-8 are refused at their place`() {
        #expect(throws: YAMLError(.syntax("invalid leading UTF-8 octet"), at: at(2, 4))) {
            try YAMLDocument.parse(Array("a: 1\nb: ".utf8) + [0xFF])
        }
    }

    @Test func `depth and length have limits`() {
        let limit = YAMLDocument.depthLimit
        let nested = { (depth: Int) in
            String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }

        #expect(failure(nested(limit)) == nil)
        #expect(failure(nested(limit + 1))?.reason == .tooDeep(limit: limit))
        #expect(failure(nested(100_000))?.reason == .tooDeep(limit: limit))
        #expect(
            failure(String(repeating: "#", count: YAMLDocument.byteLimit + 1))?.reason
                == .tooLong(limit: YAMLDocument.byteLimit)
        )
    }
}
