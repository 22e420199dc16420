import Cryptography
import StreamBytes

/// When an attachment goes on to new keys.
package struct SealRotation: Sendable, Equatable {
    /// After so many events under one key; at most 2^32 - 1.
    package var eventLimit: UInt32 = 10_000
    /// And after so long.
    package var interval: Duration = .seconds(600)

    package init() {}
}

/// Seals the events of one attachment, in the order of their sequences.
///
/// A class, so that a stream that is not sealed pays for a reference only. It holds the keys of the
/// running epoch, and wipes them when it goes.
package final class Sealer {
    package let algorithm: AEADAlgorithm
    /// Whether contents may be compressed before they are sealed.
    package let compresses: Bool
    private let pad: UInt16
    private var epoch: SealingEpoch
    /// The number of the last event that was sealed.
    package private(set) var lastSequence: UInt64 = 0
    private var parameters: [UInt8]

    /// - Parameters:
    ///   - session: says what its attachments have in common.
    ///   - parameters: the data of the event that tells them to the client.
    ///   - epochEndsAt: when the keys are too old.
    ///   - fill: writes the keys of the first epoch.
    init(
        _ session: SealingSession,
        parameters: [UInt8],
        epochEndsAt: MonotonicTime,
        fill: (inout MutableSpan<UInt8>) -> Void
    ) {
        algorithm = session.algorithm
        compresses = session.compresses
        pad = session.pad
        self.parameters = parameters
        epoch = SealingEpoch(endsAt: epochEndsAt, fill: fill)
    }

    deinit { epoch.wipe() }

    /// Whether the client has not been told the parameters yet.
    package var owesParameters: Bool { !parameters.isEmpty }

    /// The data of the event that the client must get before any other of the attachment; empty from
    /// the second call on.
    package func takeParameters() -> [UInt8] {
        defer { parameters = [] }
        return parameters
    }

    /// Seals an event and appends its payload in base64.
    ///
    /// - Parameters:
    ///   - name: the event's.
    ///   - sequence: larger than that of the event before.
    ///   - stream: the stream's id.
    ///   - now: keys that are too old are replaced before.
    ///   - context: the reactor's.
    ///   - output: gets the payload.
    ///   - isDeflated: whether `content` appends raw deflate instead of the event's data.
    ///   - content: appends what is sealed.
    package func seal(
        _ name: StaticString,
        sequence: UInt64,
        of stream: String,
        at now: MonotonicTime,
        in context: SealingContext,
        to output: inout [UInt8],
        isDeflated: Bool = false,
        content: (inout [UInt8]) -> Void
    ) {
        precondition(sequence > lastSequence, "no sequence is sealed twice under a key")
        lastSequence = sequence
        epoch.seal(
            SealedEvent(name: name, sequence: sequence, stream: stream),
            isDeflated ? .deflated : .plain,
            with: algorithm,
            pad: Int(pad),
            at: now,
            context.rotation,
            on: &context.bench,
            to: &output,
            content: content
        )
    }
}

/// The keys of one attachment's running epoch, and what is left of it.
struct SealingEpoch: ~Copyable {
    private var number: UInt32 = 0
    private var eventCount: UInt32 = 0
    private var endsAt: MonotonicTime
    private var keys = InlineSecret<64>()

    /// - Parameters:
    ///   - endsAt: when the keys are too old.
    ///   - fill: writes the keys.
    init(endsAt: MonotonicTime, fill: (inout MutableSpan<UInt8>) -> Void) {
        self.endsAt = endsAt
        keys.withMutableSpan(fill)
    }

    mutating func wipe() { keys.wipe() }

    /// As `Sealer.seal`; `content` becomes the event's text on `bench`.
    mutating func seal(
        _ event: SealedEvent,
        _ type: SealedRecord.ContentType,
        with algorithm: AEADAlgorithm,
        pad: Int,
        at now: MonotonicTime,
        _ rotation: SealRotation,
        on bench: inout SealingBench,
        to output: inout [UInt8],
        content: (inout [UInt8]) -> Void
    ) {
        if eventCount >= rotation.eventLimit || now >= endsAt { advance(now + rotation.interval) }
        eventCount += 1
        bench.begin(event, epoch: number)
        bench.write(type, pad: pad, content: content)
        keys.withSpan { keys in
            bench.seal(
                with: algorithm,
                key: keys.extracting(0..<AEADAlgorithm.keyByteCount),
                sequence: event.sequence,
                to: &output
            )
        }
    }

    /// Goes on to the keys of the next epoch.
    private mutating func advance(_ end: MonotonicTime) {
        keys.withMutableSpan(KeySchedule.advanceKeys)
        number += 1
        eventCount = 0
        endsAt = end
    }
}
