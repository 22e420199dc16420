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
    private var epoch: UInt32 = 0
    private var eventCount: UInt32 = 0
    private var epochEndsAt: MonotonicTime
    /// The number of the last event that was sealed.
    package private(set) var lastSequence: UInt64 = 0
    private var keys = InlineSecret<64>()
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
        self.epochEndsAt = epochEndsAt
        keys.withMutableSpan(fill)
    }

    deinit { keys.wipe() }

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
        rotateIfDue(at: now, context.rotation)
        eventCount += 1
        context.bench.begin(stream: stream, sequence: sequence, epoch: epoch, name: name)
        context.bench.write(isDeflated ? .deflated : .plain, pad: Int(pad), content: content)
        keys.withSpan { keys in
            context.bench.seal(
                with: algorithm,
                key: keys.extracting(0..<AEADAlgorithm.keyByteCount),
                sequence: sequence,
                to: &output
            )
        }
    }

    private func rotateIfDue(at now: MonotonicTime, _ rotation: SealRotation) {
        guard eventCount >= rotation.eventLimit || now >= epochEndsAt else { return }
        keys.withMutableSpan(KeySchedule.advanceKeys)
        epoch += 1
        eventCount = 0
        epochEndsAt = now + rotation.interval
    }
}
