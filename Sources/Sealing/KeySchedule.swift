import Cryptography
import StreamBytes

/// The keys of a sealed stream, from the secret that both sides agreed on.
///
///     agreed secret ─► stream secret 0 ─► stream secret 1 ─► …        one for each attachment
///                           │
///                           ▼ salt, stream, algorithm, parameters
///                      epoch keys 0 ─► epoch keys 1 ─► …              32 to seal, 32 for the next
///
/// Each arrow is one HKDF-SHA256; none can be walked back.
enum KeySchedule {
    /// Names the format and its version in everything that is derived.
    static let label: StaticString = "weir sealed stream 1"

    static let secretByteCount = 32
    static let saltByteCount = 32
    /// The key that seals, and the one that the next pair is made of.
    static let epochByteCount = 64
    static let passwordRounds = 600_000

    /// Makes the secret of a stream's first attachment.
    ///
    /// - Parameters:
    ///   - agreed: what the agreement gave.
    ///   - offer: what the client asked for.
    ///   - contribution: what the gateway added: its public key, or the password's salt.
    ///   - secret: `secretByteCount` bytes.
    static func deriveSecret(
        from agreed: SecretBytes,
        offer: SealOffer,
        contribution: Span<UInt8>,
        into secret: inout MutableSpan<UInt8>
    ) {
        var transcript: [UInt8] = []
        transcript.append(lengthPrefixed: labelled("").span)
        transcript.append(offer.transcript.span)
        transcript.append(lengthPrefixed: contribution)
        let salt = SHA256Digest(of: transcript).bytes
        agreed.withSpan {
            KeyDerivation.hkdf($0, salt: salt.span, info: labelled(" secret").span, into: &secret)
        }
    }

    /// Makes the secret of the next attachment out of this one's.
    static func advanceSecret(_ secret: inout MutableSpan<UInt8>) {
        replace(&secret, source: 0..<secretByteCount, info: labelled(" next attachment"))
    }

    /// Makes the first keys of an attachment.
    ///
    /// - Parameters:
    ///   - secret: the attachment's.
    ///   - salt: `saltByteCount` random bytes, never used before.
    ///   - stream: the stream's id.
    ///   - algorithm: what the keys are for.
    ///   - parameters: the data of the event that tells them to the client.
    ///   - keys: `epochByteCount` bytes.
    static func deriveKeys(
        from secret: Span<UInt8>,
        salt: Span<UInt8>,
        stream: String,
        algorithm: AEADAlgorithm,
        parameters: [UInt8],
        into keys: inout MutableSpan<UInt8>
    ) {
        var info: [UInt8] = []
        info.append(lengthPrefixed: labelled("").span)
        info.append(lengthPrefixed: stream)
        info.append(lengthPrefixed: algorithm.name)
        info.append(lengthPrefixed: SHA256Digest(of: parameters).bytes.span)
        KeyDerivation.hkdf(secret, salt: salt, info: info.span, into: &keys)
    }

    /// Makes the keys of the next epoch out of this one's.
    static func advanceKeys(_ keys: inout MutableSpan<UInt8>) {
        replace(&keys, source: 32..<epochByteCount, info: labelled(" next epoch"))
    }

    /// Replaces a secret by what is derived from a part of it.
    private static func replace(
        _ secret: inout MutableSpan<UInt8>,
        source: Range<Int>,
        info: [UInt8]
    ) {
        let next = SecretBytes(count: secret.count) { next in
            KeyDerivation.hkdf(
                secret.span.extracting(source),
                salt: Span(),
                info: info.span,
                into: &next
            )
        }
        next.withSpan { next in
            for index in next.indices { secret[index] = next[index] }
        }
    }

    private static func labelled(_ purpose: StaticString) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(label)
        bytes.append(purpose)
        return bytes
    }
}
