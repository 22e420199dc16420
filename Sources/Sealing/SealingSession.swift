import Cryptography
import StreamBytes

/// A sealed stream on the gateway's side: what was agreed with its client, for as long as the
/// client may come back.
///
/// It holds the secret of the next attachment and nothing that an earlier one was sealed with; it
/// wipes it when it goes. Proof for `@unchecked Sendable`: it belongs to one order, and with that to
/// one thread at a time.
package final class SealingSession: @unchecked Sendable {
    /// The most attachments of one stream.
    package static let attachmentLimit: UInt32 = 65_536
    package static let saltByteCount = KeySchedule.saltByteCount

    package let algorithm: AEADAlgorithm
    package let compresses: Bool
    let pad: UInt16
    private var attachmentCount: UInt32 = 0
    private var secret = InlineSecret<32>()
    private let introduction: Introduction

    /// How the agreement was made, which every attachment's first event tells again.
    private enum Introduction {
        /// A point is kept compressed: its 65 bytes would be kept for nothing.
        case hybrid(CompressedPublicKey)
        case shared(SharedKey)
        case password(PasswordKey)
    }

    /// Agrees with a client that sent a public key.
    ///
    /// - Parameters:
    ///   - offer: of the mode hybrid.
    ///   - key: fresh, and on the curve of the offer.
    ///   - pad: the least size of the buckets.
    /// - Throws: `KeyAgreementError.badPublicKey` when the client's is none.
    package convenience init(
        hybrid offer: SealOffer,
        _ key: borrowing EphemeralKey,
        pad: Int
    ) throws(KeyAgreementError) {
        guard case .hybrid(let curve, let publicKey) = offer.agreement, curve == key.curve else {
            preconditionFailure("the offer is for a hybrid agreement on the key's curve")
        }
        let agreed = try key.sharedSecret(with: publicKey.span)
        let own = key.publicKey
        self.init(
            offer,
            agreed,
            .hybrid(CompressedPublicKey(own, on: curve)),
            contribution: own,
            pad
        )
    }

    /// Agrees with a client that knows a key.
    ///
    /// - Parameters:
    ///   - offer: of the mode shared.
    ///   - key: the one that it names.
    ///   - pad: the least size of the buckets.
    package convenience init(shared offer: SealOffer, _ key: SharedKey, pad: Int) {
        precondition(offer.agreement == .shared(keyID: key.id), "the key is the one asked for")
        self.init(offer, key.secret, .shared(key), contribution: [], pad)
    }

    /// Agrees with a client that knows the account's password.
    ///
    /// - Parameters:
    ///   - offer: of the mode password.
    ///   - key: of the account.
    ///   - pad: the least size of the buckets.
    package convenience init(password offer: SealOffer, _ key: PasswordKey, pad: Int) {
        precondition(offer.agreement == .password, "a password was asked for")
        self.init(offer, key.secret, .password(key), contribution: key.salt, pad)
    }

    private init(
        _ offer: SealOffer,
        _ agreed: SecretBytes,
        _ introduction: Introduction,
        contribution: [UInt8],
        _ pad: Int
    ) {
        algorithm = offer.algorithm
        compresses = offer.compresses
        self.pad = UInt16(clamping: max(pad, offer.pad))
        self.introduction = introduction
        secret.withMutableSpan { secret in
            KeySchedule.deriveSecret(
                from: agreed,
                offer: offer,
                contribution: contribution.span,
                into: &secret
            )
        }
    }

    deinit { secret.wipe() }

    /// Lets one more client follow.
    ///
    /// - Parameters:
    ///   - stream: the stream's id.
    ///   - model: what the client calls the model.
    ///   - salt: 32 fresh random bytes.
    ///   - now: when the first epoch begins.
    ///   - context: of the reactor.
    /// - Returns: what seals its events; nil when the stream has had `attachmentLimit` attachments.
    package func attach(
        stream: String,
        model: String,
        salt: [UInt8],
        at now: MonotonicTime,
        in context: SealingContext
    ) -> Sealer? {
        precondition(salt.count == KeySchedule.saltByteCount, "a salt has 32 bytes")
        guard !isExhausted else { return nil }
        let parameters = SealParameters(
            agreement: agreement,
            algorithm: algorithm,
            attachment: attachmentCount,
            salt: salt
        ).eventData(stream: stream, model: model)
        let epochEndsAt = now + context.rotation.interval
        let sealer = Sealer(self, parameters: parameters, epochEndsAt: epochEndsAt) { keys in
            secret.withSpan { secret in
                KeySchedule.deriveKeys(
                    from: secret,
                    salt: salt.span,
                    stream: stream,
                    algorithm: algorithm,
                    parameters: parameters,
                    into: &keys
                )
            }
        }
        attachmentCount += 1
        secret.withMutableSpan(KeySchedule.advanceSecret)
        return sealer
    }

    /// Whether no more clients can follow.
    package var isExhausted: Bool { attachmentCount >= Self.attachmentLimit }

    private var agreement: SealParameters.Agreement {
        switch introduction {
        case .hybrid(let key): .hybrid(key.curve, publicKey: key.publicKey)
        case .shared(let key): .shared(keyID: key.id)
        case .password(let key): .password(salt: key.salt, rounds: PasswordKey.rounds)
        }
    }
}
