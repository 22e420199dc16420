import ServerSentEvents
import StreamBytes
import Testing

@Suite struct EventParserTests {
    @Test func `data of one line is lent from the input`() throws {
        var parser = EventParser()
        let body = Array("data: abc\n\n".utf8)
        var position = 0

        let event = try parser.next(in: body.span, from: &position)

        #expect(event?.data == .input(6..<9))
        #expect(event?.type == .nowhere)
        let held = parser.heldData
        #expect(held.capacity == 0)
    }

    @Test func `a parser between events owns no memory`() throws {
        var parser = EventParser()
        for piece in ["event: x\nda", "ta: a\ndata: b\n", "\n"] {
            var position = 0
            while try parser.next(in: Array(piece.utf8).span, from: &position) != nil {}
        }

        let held = [parser.heldData, parser.heldType]
        #expect(held.map(\.capacity) == [0, 0])
    }

    @Test func `data at the limit passes and one byte more is refused`() throws {
        #expect(try ParsedStream([Array("data: 1234\n\n".utf8)], byteLimit: 4).events.count == 1)
        for size in [1, 100] {
            let parts = pieces(Array("data: 12345\n\n".utf8), of: size)
            #expect(throws: EventParsingError.lineTooLong(limit: 4)) {
                try ParsedStream(parts, byteLimit: 4)
            }
        }
    }

    @Test(arguments: [1, 7, 100])
    func `a line with an overlong name is refused in any pieces`(size: Int) {
        let name = String(repeating: "a", count: 80)
        let parts = pieces(Array("\(name): 1\n\n".utf8), of: size)

        #expect(throws: EventParsingError.lineTooLong(limit: 64)) {
            try ParsedStream(parts, byteLimit: 64)
        }
    }

    @Test func `many short lines count together against the limit`() {
        let body = Array("data: 12\ndata: 12\n\n".utf8)

        #expect(throws: EventParsingError.eventTooLong(limit: 4)) {
            try ParsedStream([body], byteLimit: 4)
        }
        #expect(throws: Never.self) { try ParsedStream([body], byteLimit: 5) }
    }

    @Test func `a line that never ends is refused before it is kept, and all that follows too`() {
        var parser = EventParser(byteLimit: 1_000)
        let piece = [UInt8](repeating: 0x61, count: 600)
        var outcomes: [EventParsingError?] = []
        for body in [piece, piece, Array("\ndata: x\n\n".utf8)] {
            var position = 0
            do {
                _ = try parser.next(in: body.span, from: &position)
                outcomes.append(nil)
            } catch {
                outcomes.append(error)
            }
        }

        let refusal = EventParsingError.lineTooLong(limit: 1_000)
        #expect(outcomes == [nil, refusal, refusal])
    }

    @Test func `a long comment is skipped, not kept`() throws {
        let parts = [[0x3A]] + Array(repeating: [UInt8](repeating: 0x61, count: 600), count: 9)
        let end = [Array("\ndata: x\n\n".utf8)]

        #expect(try ParsedStream(parts + end, byteLimit: 100).events.map(\.data) == ["x"])
    }

    @Test func `the unknown field error is remembered`() throws {
        var parser = EventParser()
        let body = Array("data: x\n\nerror: {\"code\":500}\n\n".utf8)
        var position = 0
        while try parser.next(in: body.span, from: &position) != nil {}

        let field = parser.errorField
        #expect(field == Array("{\"code\":500}".utf8))
    }

    @Test(arguments: [1, 7, 4_096])
    func `the text of a body that is no event stream is kept`(_ size: Int) throws {
        var parser = EventParser()
        let text = "{\n  \"error\": {\n    \"message\": \"no\"\n  }\n}"
        for piece in pieces(Array(text.utf8), of: size) {
            var position = 0
            let event = try parser.next(in: piece.span, from: &position)
            #expect(event == nil)
        }
        parser.finish()

        let stray = String(decoding: parser.strayText, as: UTF8.self)
        let hasSeenField = parser.hasSeenField
        #expect(stray == text)
        #expect(!hasSeenField)
    }

    @Test func `stray text is bounded`() throws {
        var parser = EventParser()
        let body = [UInt8](repeating: 0x61, count: 50_000) + [0x0A]
        var position = 0
        let event = try parser.next(in: body.span, from: &position)
        #expect(event == nil)

        let count = parser.strayText.count
        #expect(count == EventParser.strayLimit)
    }

    @Test func `a retry beyond all numbers becomes the largest`() throws {
        let parsed = try ParsedStream("retry: 99999999999999999999\n\n")

        #expect(parsed.retry == .max)
    }

    @Test func `invalid UTF-8 is repaired as the standard library does, whatever the cuts`() throws
    {
        var generator = SeededGenerator(seed: 11)
        let alphabet: [UInt8] = [
            0x61, 0x80, 0xBF, 0xC2, 0xC3, 0xE0, 0xA0, 0xED, 0x9F, 0xF0, 0x90, 0xF4, 0x8F, 0xFF,
            0xC0,
        ]
        for _ in 0..<2_000 {
            let data = (0..<Int.random(in: 1...12, using: &generator)).map { _ in
                alphabet.randomElement(using: &generator) ?? 0
            }
            let body = Array("data: ".utf8) + data + Array("\nevent: ".utf8) + data + [0x0A, 0x0A]
            let expected = String(decoding: data, as: UTF8.self)
            for size in [body.count, 1, 3] {
                let parsed = try ParsedStream(pieces(body, of: size))
                #expect(parsed.events.map(\.data) == [expected])
                #expect(parsed.events.map(\.type) == [expected])
            }
        }
    }

    @Test(arguments: UInt64(1)...20)
    func `random bytes never crash and read the same in any pieces`(_ seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let words = [
            "data", ":", " ", "\n", "\r", "\r\n", "id", "event", "retry", "5", "\u{FEFF}", "\0",
            "é",
        ]
        var body: [UInt8] = []
        for _ in 0..<400 {
            if UInt8.random(in: 0..<10, using: &generator) == 0 {
                body.append(UInt8.random(in: 0...255, using: &generator))
            } else {
                body += Array((words.randomElement(using: &generator) ?? "").utf8)
            }
        }
        let whole = try ParsedStream([body])
        for size in [1, 2, 5, 64] {
            #expect(try ParsedStream(pieces(body, of: size)) == whole, "seed \(seed), \(size)")
        }
    }
}
