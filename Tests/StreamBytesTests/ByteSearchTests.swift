import StreamBytes
import Testing

@Suite struct ByteSearchTests {
    private func lineEnd(_ bytes: [UInt8], from start: Int) -> Int? {
        bytes.span.firstLineEnd(from: start)
    }

    private func index(_ byte: UInt8, _ bytes: [UInt8], _ range: Range<Int>) -> Int? {
        bytes.span.firstIndex(of: byte, in: range)
    }

    @Test(arguments: [0, 1, 8, 255, 256, 257, 4_350, 9_000])
    func `a line end is found at any distance, whichever it is`(_ distance: Int) {
        for end in [UInt8(0x0A), 0x0D] {
            var bytes = [UInt8](repeating: 0x61, count: distance)
            #expect(lineEnd(bytes, from: 0) == nil)
            bytes += [end, 0x0A, 0x0D]
            #expect(lineEnd(bytes, from: 0) == distance)
            #expect(lineEnd(bytes, from: distance + 1) == distance + 1)
        }
    }

    @Test func `a byte is found within its range only`() {
        let bytes = Array("abcabc".utf8)

        #expect(index(0x62, bytes, 0..<6) == 1)
        #expect(index(0x62, bytes, 2..<6) == 4)
        #expect(index(0x62, bytes, 2..<4) == nil)
        #expect(index(0x62, bytes, 3..<3) == nil)
    }

    @Test func `numbers are written in decimal`() {
        var bytes: [UInt8] = []
        for number in [0, 7, -12, Int64.max, .min] {
            bytes.append(decimal: number)
            bytes.append(0x20)
        }

        #expect(
            String(decoding: bytes, as: UTF8.self)
                == "0 7 -12 9223372036854775807 -9223372036854775808 "
        )
    }

    @Test func `words are compared whole`() {
        let bytes = Array("data: x".utf8)

        let matches = [
            bytes.span.matches(0..<4, "data"), bytes.span.matches(0..<4, "dat"),
            bytes.span.matches(0..<3, "data"), bytes.span.hasPrefix("x", at: 6),
            bytes.span.hasPrefix("xy", at: 6),
        ]

        #expect(matches == [true, false, false, true, false])
    }

    @Test func `UTF-8 is told from what is none`() {
        let valid: [[UInt8]] = [
            [], [0x7F], [0xC2, 0x80], [0xED, 0x9F, 0xBF], [0xF4, 0x8F, 0xBF, 0xBF],
        ]
        let invalid: [[UInt8]] = [
            [0x80], [0xC1, 0x80], [0xE0, 0x9F, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80],
            [0xF0, 0x90, 0x80], [0xFF],
        ]
        let padding = [UInt8](repeating: 0x61, count: 9)

        let verdicts = (valid + invalid).map { (padding + $0).span.isUTF8(in: 0..<$0.count + 9) }
        #expect(verdicts == valid.map { _ in true } + invalid.map { _ in false })
    }
}
