import Cryptography
import StreamBytes

/// What the sealed streams of one reactor share: the cipher, room to put an event together, and when
/// keys change.
///
/// Proof for `@unchecked Sendable`: its state is reached on its reactor's thread alone.
package final class SealingContext: @unchecked Sendable {
    /// When attachments go on to new keys; a change holds for those that are open, too.
    package var rotation: SealRotation
    var bench = SealingBench()

    package init(_ rotation: SealRotation = SealRotation()) { self.rotation = rotation }
}

/// Which event is sealed.
struct SealedEvent {
    let name: StaticString
    let sequence: UInt64
    /// The id of its stream.
    let stream: String
}

/// Where one event after the other is put together and sealed.
struct SealingBench: ~Copyable {
    private var cipher = AuthenticatedCipher()
    /// The associated bytes, then the payload, whose text becomes ciphertext and tag in place.
    private var bytes: [UInt8] = []
    private var associatedCount = 0

    /// Begins an event with what belongs to it beside its text.
    mutating func begin(_ event: SealedEvent, epoch: UInt32) {
        bytes.removeAll(keepingCapacity: true)
        bytes.append(associatedWith: event.stream, sequence: event.sequence, epoch: epoch)
        bytes.append(event.name)
        associatedCount = bytes.count
        bytes.append(bigEndian: epoch)
    }

    /// Writes the text: content, type, and padding up to a multiple of `pad` bytes, if any.
    mutating func write(
        _ type: SealedRecord.ContentType,
        pad: Int,
        content: (inout [UInt8]) -> Void
    ) {
        let start = bytes.count
        content(&bytes)
        bytes.append(type.rawValue)
        guard pad > 0 else { return }
        let rest = (bytes.count - start) % pad
        if rest > 0 { bytes.append(contentsOf: repeatElement(0, count: pad - rest)) }
    }

    /// Seals the text and appends the payload in base64.
    mutating func seal(
        with algorithm: AEADAlgorithm,
        key: Span<UInt8>,
        sequence: UInt64,
        to output: inout [UInt8]
    ) {
        let nonce = SealedRecord.nonce(sequence)
        cipher.seal(
            &bytes,
            from: associatedCount + SealedRecord.epochByteCount,
            with: algorithm,
            key: key,
            nonce: nonce.span,
            authenticating: 0..<associatedCount
        )
        Base64.append(bytes.span.extracting(associatedCount..<bytes.count), to: &output)
    }
}
