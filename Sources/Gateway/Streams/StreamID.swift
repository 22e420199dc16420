import Reactor

/// Names a stream: unguessable, and it says which reactor the stream lives on, so that a reconnect
/// finds it without a shared table.
///
/// Form: `s`, the reactor's index in base 36, `-`, the wall clock's milliseconds in nine digits of base
/// 36, and 24 characters of `a-z0-9` (124 random bits). Ids of one time sort together, so that a
/// ledger's index of them grows at its end.
package struct StreamID: Hashable, Sendable {
    package let text: String

    /// Makes a new one for a stream on `executor`.
    package init(on executor: any StreamExecutor) {
        let time = String(max(0, executor.wallClock.milliseconds), radix: 36)
        let zeros = String(repeating: "0", count: max(0, 9 - time.utf8.count))
        text =
            "s\(String(executor.index, radix: 36))-\(zeros)\(time)\(randomText(24, from: executor))"
    }

    /// Reads one that a client sent.
    package init?(_ text: String) {
        guard text.utf8.count <= 40, reactorIndex(in: text, prefix: "s", separator: "-") != nil,
            text.utf8.allSatisfy({ $0.isIdentifierByte })
        else { return nil }
        self.text = text
    }

    /// The index of the reactor that the stream lives on.
    package var reactor: Int { reactorIndex(in: text, prefix: "s", separator: "-") ?? 0 }
}

/// Where a client stands in a stream: `<stream>.<sequence>`, the id of the last event it has.
package struct EventID: Hashable, Sendable {
    package let stream: StreamID
    package let sequence: UInt64

    package init(stream: StreamID, sequence: UInt64) {
        self.stream = stream
        self.sequence = sequence
    }

    /// Reads the value of `Last-Event-ID`.
    package init?(_ text: String) {
        guard let dot = text.lastIndex(of: "."), let stream = StreamID(String(text[..<dot])),
            let sequence = UInt64(text[text.index(after: dot)...])
        else { return nil }
        self.init(stream: stream, sequence: sequence)
    }
}

/// Returns `count` random characters of `a-z0-9`.
func randomText(_ count: Int, from executor: any StreamExecutor) -> String {
    let alphabet = Array("abcdefghijklmnopqrstuvwxyz0123456789".utf8)
    var bytes: [UInt8] = []
    while bytes.count < count {
        var bits = executor.randomBits()
        for _ in 0..<8 where bytes.count < count {
            // 252 is the largest multiple of 36 in a byte: larger values would favour some letters.
            let byte = Int(bits & 0xFF)
            bits >>= 8
            if byte < 252 { bytes.append(alphabet[byte % 36]) }
        }
    }
    return String(decoding: bytes, as: UTF8.self)
}

/// Returns the reactor's index written between `prefix` and the first `separator`.
func reactorIndex(in text: String, prefix: Character, separator: Character) -> Int? {
    guard text.first == prefix, let end = text.firstIndex(of: separator) else { return nil }
    let digits = text[text.index(after: text.startIndex)..<end]
    guard digits.utf8.count <= 3, let index = Int(digits, radix: 36), index >= 0 else { return nil }
    return index
}

extension UInt8 {
    /// Whether the byte may stand in an identifier: `a-z`, `0-9`, `-`.
    fileprivate var isIdentifierByte: Bool {
        (0x61...0x7A).contains(self) || (0x30...0x39).contains(self) || self == 0x2D
    }
}
