import Glibc
import StreamBytes

/// The lines that drive a probe: `{"id":"…","chunks":["<base64>",…],…}`.
enum ProbeLines {
    struct Run {
        let id: String
        let wireFormat: String
        let chunks: [[UInt8]]
    }

    /// Calls `answer` for each line of standard input and writes what it returns.
    static func answerAll(_ answer: (Run) -> [UInt8]) {
        while let line = readLine() {
            guard let run = parse([UInt8](line.utf8)) else {
                write(Array("weir-probe: a line is not understood\n".utf8), to: STDERR_FILENO)
                continue
            }
            var output = answer(run)
            output.append(0x0A)
            write(output, to: STDOUT_FILENO)
        }
    }

    private static func parse(_ line: [UInt8]) -> Run? {
        let text = line.span
        guard let root = try? JSONValue(parsing: text),
            let id = root.member("id", in: text)?.text(in: text),
            let chunks = root.member("chunks", in: text)
        else { return nil }
        var decoded: [[UInt8]] = []
        for chunk in chunks.elements(in: text) {
            guard let place = chunk.string(in: text), let bytes = base64(place.unescaped(in: text))
            else { return nil }
            decoded.append(bytes)
        }
        let format = root.member("wire_format", in: text)?.text(in: text) ?? ""
        return Run(id: id, wireFormat: format, chunks: decoded)
    }

    private static func base64(_ text: [UInt8]) -> [UInt8]? {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(text.count / 4 * 3)
        var bits: UInt32 = 0
        var bitCount: UInt32 = 0
        for character in text where character != 0x3D {
            guard let value = value(of: character) else { return nil }
            bits = bits << 6 | value
            bitCount += 6
            if bitCount >= 8 {
                bitCount -= 8
                bytes.append(UInt8(truncatingIfNeeded: bits >> bitCount))
            }
        }
        return bytes
    }

    private static func value(of character: UInt8) -> UInt32? {
        switch character {
        case 0x41...0x5A: UInt32(character - 0x41)
        case 0x61...0x7A: UInt32(character - 0x61 + 26)
        case 0x30...0x39: UInt32(character - 0x30 + 52)
        case 0x2B: 62
        case 0x2F: 63
        default: nil
        }
    }

    private static func write(_ output: [UInt8], to descriptor: Int32) {
        var start = 0
        while start < output.count {
            let written = unsafe output.withUnsafeBufferPointer { buffer in
                let rest = unsafe UnsafeBufferPointer(rebasing: buffer[start...])
                return unsafe Glibc.write(descriptor, rest.baseAddress, rest.count)
            }
            // Whoever reads the answers is gone.
            guard written > 0 else { exit(1) }
            start += written
        }
    }
}
