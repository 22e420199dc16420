import ServerSentEvents
import StreamBytes
import Testing

@Suite struct EventEncoderTests {
    private func encode(
        _ data: String,
        id: String? = nil,
        name: String? = nil
    ) throws(EventEncodingError) -> String {
        var output: [UInt8] = []
        try EventEncoder.append(
            Array(data.utf8).span,
            id: id.map { Array($0.utf8) },
            name: name.map { Array($0.utf8) },
            to: &output
        )
        return String(decoding: output, as: UTF8.self)
    }

    /// Works on scalars: a String takes CR and LF as one character in some places only.
    private func withLineFeeds(_ text: String) -> String {
        var result = String.UnicodeScalarView()
        var previous: Unicode.Scalar?
        for scalar in text.unicodeScalars {
            if scalar != "\n" || previous != "\r" { result.append(scalar == "\r" ? "\n" : scalar) }
            previous = scalar
        }
        return String(result)
    }

    @Test func `an event has its id, its name, its data and a blank line`() throws {
        #expect(try encode("x", id: "7", name: "chunk") == "id: 7\nevent: chunk\ndata: x\n\n")
        #expect(try encode("") == "data: \n\n")
    }

    @Test(arguments: [
        "a\n\nevent: evil\ndata: b", "\r\rdata: x", "a\r\n\r\nid: 9\n\n", "\n", "\r\n", "x\r",
        "x\n\r",
    ])
    func `a payload can neither forge a field nor end its event`(_ payload: String) throws {
        let parsed = try ParsedStream(try encode(payload, id: "1", name: "n"))

        let lines = withLineFeeds(payload)
        #expect(parsed.events == [.init(type: "n", data: lines, lastEventId: "1")])
    }

    @Test(arguments: ["a\nb", "a\rb", "\r\n"])
    func `a line break in an id or a name is refused and nothing is written`(_ text: String) {
        #expect(throws: EventEncodingError.lineBreak(in: .id)) { try encode("x", id: text) }
        #expect(throws: EventEncodingError.lineBreak(in: .name)) { try encode("x", name: text) }
        var output: [UInt8] = [1]
        try? EventEncoder.append([0x78].span, name: Array(text.utf8), to: &output)
        #expect(output == [1])
    }

    @Test func `an id with U+0000 is refused, for readers ignore it`() {
        #expect(throws: EventEncodingError.nullInID) { try encode("x", id: "a\0") }
    }

    @Test func `a comment stays a comment whatever it holds`() throws {
        var output: [UInt8] = []
        EventEncoder.appendComment(Array("hb\ndata: x\r\n\r\nid: 3".utf8).span, to: &output)

        #expect(try ParsedStream([output]) == ParsedStream(""))
        #expect(String(decoding: output, as: UTF8.self).hasPrefix(": hb\n"))
    }

    @Test func `a retry field is read back`() throws {
        var output: [UInt8] = []
        EventEncoder.appendRetry(milliseconds: 2_345, to: &output)

        #expect(try ParsedStream([output]).retry == 2_345)
    }

    @Test(arguments: UInt64(1)...10)
    func `whatever is encoded is read back`(_ seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let words = [
            "a", "é", "👋", ":", " ", "\n", "\r", "data: ", "\u{FEFF}", "\0", "event: x\n\n",
        ]
        var body: [UInt8] = []
        var sent: [String] = []
        for _ in 0..<50 {
            let text = (0..<6).map { _ in words.randomElement(using: &generator) ?? "" }.joined()
            try EventEncoder.append(Array(text.utf8).span, to: &body)
            sent.append(withLineFeeds(text))
        }

        let read = try ParsedStream([body]).events.map(\.data)
        #expect(read.count == sent.count)
        for (one, other) in zip(read, sent) {
            #expect(Array(one.utf8) == Array(other.utf8), "seed \(seed)")
        }
    }
}
