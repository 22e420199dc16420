import StreamBytes
import Testing

@Suite struct JSONReaderTests {
    private func parse(_ text: String, depthLimit: Int = 128) throws(JSONError) -> JSONValue {
        try JSONValue(parsing: Array(text.utf8).span, depthLimit: depthLimit)
    }

    @Test(arguments: [
        "null", " true ", "false", "0", "-0", "12.5e-3", "1E+9", "\"\"", "\"a\\u00e9\\n\\/\"", "[]",
        "[ ]", "{}", "{ }", "[1,[2,{\"a\":[]}],\"x\"]", "{\"a\":1 , \"b\" : {\"c\":null}}\r\n\t",
        "\"\u{7F}é👋\"", "{\"a\":1,\"a\":2}",
    ])
    func `what RFC 8259 allows is read`(_ text: String) {
        #expect(throws: Never.self) { try parse(text) }
    }

    @Test(arguments: [
        "", " ", "nul", "tru", "nulls", "01", "-", "+1", "1.", ".5", "1e", "1e+", "0x1", "\"",
        "\"a",
        "\"\\", "\"\\x\"", "\"\\u12\"", "\"\\u12G4\"", "\"a\nb\"", "\"a\tb\"", "\"\u{1}\"",
        "\"abcdefghijk\u{1F}\"", "[", "[1", "[1,", "[1,]", "[,]", "[1 2]", "{", "{\"a\"", "{\"a\":",
        "{\"a\":}", "{\"a\":1", "{\"a\":1,", "{\"a\":1,}", "{,}", "{a:1}", "{1:2}", "{\"a\" 1}",
        "[}",
        "{]", "]", "1 2", "{}x", "\u{FEFF}{}", "'a'", "NaN", "\u{0C}1",
    ])
    func `what RFC 8259 forbids is refused`(_ text: String) {
        #expect(throws: JSONError.self) { try parse(text) }
    }

    @Test func `nesting up to the limit is read and deeper is refused`() throws {
        let four = "[{\"a\":[[1]]}]"
        let kind = try parse(four, depthLimit: 4).kind

        #expect(kind == .array)
        #expect(throws: JSONError.tooDeep(limit: 3)) { try parse(four, depthLimit: 3) }
        #expect(throws: JSONError.tooDeep(limit: 128)) {
            try parse(String(repeating: "[", count: 1_000_000))
        }
    }

    @Test func `members and elements are found by name, path and place`() throws {
        let text = Array(#"{"a":[1,-22,"x\ty"],"b":{"c":{"d":true}},"n":null}"#.utf8)
        let root = try JSONValue(parsing: text.span)
        let elements = root.member("a", in: text.span)?.elements(in: text.span) ?? []
        let deep = root.member(at: ["b", "c", "d"], in: text.span)?.bool(in: text.span)
        let missing = root.member(at: ["b", "x", "d"], in: text.span)
        let null = root.member("n", in: text.span)
        let names = root.members(in: text.span).map { $0.name.text(in: text.span) }

        #expect(elements.map { $0.integer(in: text.span) } == [1, -22, nil])
        #expect(elements.map { $0.text(in: text.span) } == [nil, nil, "x\ty"])
        #expect(deep == true)
        #expect(missing == nil)
        #expect(null?.kind == .null)
        #expect(names == ["a", "b", "n"])
    }

    @Test func `a name is compared with its escapes resolved`() throws {
        let text = Array(#"{"mod\u0065l":"x"}"#.utf8)
        let model = try JSONValue(parsing: text.span).member("model", in: text.span)
        let word = model?.text(in: text.span)

        #expect(word == "x")
    }

    @Test(arguments: [
        ("9223372036854775807", Int64.max), ("-9223372036854775808", Int64.min),
        ("9223372036854775808", nil), ("-9223372036854775809", nil), ("1.0", nil), ("1e3", nil),
        ("99999999999999999999999999", nil), ("-0", 0), ("00", nil),
    ])
    func `integers are read without overflow`(_ text: String, _ expected: Int64?) {
        let bytes = Array(text.utf8)
        let number = (try? JSONValue(parsing: bytes.span))?.integer(in: bytes.span)

        #expect(number == expected)
    }

    @Test func `strings are unescaped, and halves of pairs replaced`() throws {
        let pairs = [
            (#"\u00e9\"\\\/\b\f\n\r\t"#, "é\"\\/\u{8}\u{C}\n\r\t"), (#"a\ud83d\udc4bb"#, "a👋b"),
            (#"\ud83d"#, "\u{FFFD}"), (#"\ud83dx"#, "\u{FFFD}x"),
            (#"\udc4b\ud83d"#, "\u{FFFD}\u{FFFD}"),
            (#"\ud83d\u0041"#, "\u{FFFD}A"), (#"\u0000"#, "\0"),
        ]
        for (escaped, plain) in pairs {
            let bytes = Array("\"\(escaped)\"".utf8)
            let string = try JSONValue(parsing: bytes.span).string(in: bytes.span)
            let text = string?.text(in: bytes.span)
            let byteCount = string?.unescapedByteCount(in: bytes.span)
            #expect(text == plain)
            #expect(byteCount == plain.utf8.count)
        }
    }

    @Test(arguments: UInt64(1)...20)
    func `what is escaped is read back`(_ seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let alphabet: [Unicode.Scalar] = [
            "a", "\"", "\\", "\0", "\u{1F}", "\n", "é", "👋", "\u{2028}",
        ]
        for length in 0..<40 {
            var view = String.UnicodeScalarView()
            for _ in 0..<length { view.append(alphabet.randomElement(using: &generator) ?? "a") }
            let text = String(view)
            var bytes: [UInt8] = []
            bytes.append(jsonString: text)
            let read = try JSONValue(parsing: bytes.span).text(in: bytes.span)
            #expect(read == text)
            #expect(!bytes.contains { $0 < 0x20 })
        }
    }

    @Test(arguments: UInt64(1)...20)
    func `random bytes are refused or read, never worse`(_ seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let alphabet = Array("{}[]\",:\\u0e1.-+tnfalsr \n\u{1}é".utf8)
        for _ in 0..<2_000 {
            let length = Int.random(in: 0...24, using: &generator)
            let bytes = (0..<length).map { _ in alphabet.randomElement(using: &generator) ?? 0 }
            guard let value = try? JSONValue(parsing: bytes.span) else { continue }
            for member in value.members(in: bytes.span) { _ = member.name.text(in: bytes.span) }
            let count = value.elements(in: bytes.span).count
            #expect(count <= length)
        }
    }
}

/// SplitMix64: the same numbers for the same seed, everywhere.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
