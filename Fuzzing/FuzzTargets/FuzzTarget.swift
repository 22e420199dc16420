import Glibc

/// Something that takes bytes from outside, and what must hold whatever they are.
package struct FuzzTarget: Sendable {
    /// How the command line calls it.
    package let name: String
    /// Words of the language, for the fuzzer to try.
    package let words: [String]
    /// Ends the process when a promise is broken.
    package let check: @Sendable ([UInt8]) -> Void

    init(
        _ name: String,
        words: [String] = [],
        check: @escaping @Sendable ([UInt8]) -> Void
    ) {
        self.name = name
        self.words = words
        self.check = check
    }

    package static let all: [FuzzTarget] = [
        .httpRequest, .httpResponse, .eventStream, .dialects, .chatRequest, .providerAnswer, .json,
        .redisReplies, .yaml, .configuration, .identifiers, .http2, .sealOffer, .unsealer,
        .codedBody,
    ]

    package static func named(_ name: String) -> FuzzTarget? { all.first { $0.name == name } }
}

/// Ends the process unless `holds`; says why, in a release build, too.
func promise(_ holds: Bool, _ text: @autoclosure () -> String) {
    guard !holds else { return }
    let line = Array("broken promise: \(text())\n".utf8)
    unsafe line.withUnsafeBytes { _ = unsafe write(STDERR_FILENO, $0.baseAddress, $0.count) }
    preconditionFailure("a promise is broken")
}

/// The same bytes in different pieces: whole, byte by byte, and cut where a seed says.
struct Pieces {
    private let bytes: [UInt8]
    private let seed: UInt64

    /// - Parameter input: its first byte is the seed, the others are cut.
    init(_ input: [UInt8]) {
        seed = UInt64(input.first ?? 0)
        bytes = Array(input.dropFirst())
    }

    var whole: [[UInt8]] { [bytes] }

    /// Of one to 32 bytes.
    var cut: [[UInt8]] {
        var generator = Generator(state: seed)
        var pieces: [[UInt8]] = []
        var start = 0
        while start < bytes.count {
            let end = min(bytes.count, start + Int(generator.next() % 32) + 1)
            pieces.append(Array(bytes[start..<end]))
            start = end
        }
        return pieces
    }

    /// Only the first kibibytes, because every byte costs a call.
    var single: [[UInt8]] { bytes.map { [$0] } }

    /// Traps unless `outcome` is the same for all.
    func expectSame<Outcome: Equatable>(_ promise: String, _ outcome: ([[UInt8]]) -> Outcome) {
        let expected = outcome(whole)
        expect(outcome(cut), expected, promise)
        if bytes.count <= 4_096 { expect(outcome(single), expected, promise) }
    }

    private func expect<Outcome: Equatable>(_ it: Outcome, _ whole: Outcome, _ promise: String) {
        FuzzTargets.promise(it == whole, "\(promise): \(it), but as a whole: \(whole)")
    }

    /// SplitMix64.
    private struct Generator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var word = state
            word = (word ^ word >> 30) &* 0xBF58_476D_1CE4_E5B9
            word = (word ^ word >> 27) &* 0x94D0_49BB_1331_11EB
            return word ^ word >> 31
        }
    }
}
