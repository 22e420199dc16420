import Cryptography
import Sealing
import StreamBytes

/// Seals the same event under the same sequences again and again, as attachments of one stream do
/// that resume from its start, and counts the pairs of key and nonce that came twice.
///
/// The block cipher turns each pair into a block of its own that the text is combined with; as all texts
/// are the same, a pair that comes twice shows as the same ciphertext. Of 64 bits each, ten million
/// blocks agree by chance once in 370,000 runs.
package struct SealedRepeats {
    package let eventCount: Int
    package let repeatCount: Int

    /// - Parameters:
    ///   - attachments: so many times the stream is sealed from its first event.
    ///   - events: of each attachment.
    ///   - eventsPerKey: after how many the keys change.
    ///   - salt: makes the 32 bytes of an attachment.
    package init(
        attachments: Int,
        events: Int,
        eventsPerKey: UInt32,
        salt: () -> [UInt8] = Self.freshSalt
    ) {
        var blocks: [UInt64] = []
        blocks.reserveCapacity(attachments * events)
        let context = SealingContext()
        context.rotation.eventLimit = eventsPerKey
        var payload: [UInt8] = []
        for _ in 0..<attachments {
            // A client that sends the same offer each time: only the salt differs.
            let session = SealingSession(shared: .benchmarkOffer, .benchmark, pad: 0)
            let now = MonotonicTime(nanoseconds: 0)
            let sealer = session.attach(stream: "s", model: "m", salt: salt(), at: now, in: context)
            _ = sealer?.takeParameters()
            for sequence in 1...UInt64(events) {
                payload.removeAll(keepingCapacity: true)
                sealer?.seal(
                    "chunk",
                    sequence: sequence,
                    of: "s",
                    at: now,
                    in: context,
                    to: &payload
                ) {
                    $0.append(contentsOf: repeatElement(0, count: 16))
                }
                blocks.append(Self.block(of: payload))
            }
        }
        blocks.sort()
        eventCount = blocks.count
        repeatCount = zip(blocks, blocks.dropFirst()).count { $0 == $1 }
    }

    /// The first bytes of the ciphertext, behind the epoch's four.
    private static func block(of payload: [UInt8]) -> UInt64 {
        let bytes = Base64.decode(payload.span.extracting(0..<16)) ?? []
        return bytes.dropFirst(4).reduce(0) { $0 << 8 | UInt64($1) }
    }

    package static func freshSalt() -> [UInt8] {
        (0..<SealingSession.saltByteCount).map { _ in .random(in: 0...255) }
    }
}
