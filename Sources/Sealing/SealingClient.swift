import Cryptography
import StreamBytes

/// The client's side of an agreement: what it offers, and how it comes to the secret.
package struct SealingClient: ~Copyable {
    package let offer: SealOffer
    private let key: EphemeralKey?
    /// The shared key or the password; nil for a hybrid agreement.
    private let known: SecretBytes?

    /// Offers a public key that serves once.
    ///
    /// - Parameters:
    ///   - key: the client's.
    ///   - offer: makes the offer of the agreement that goes with the key.
    package init(_ key: consuming EphemeralKey, offer: (SealOffer.Agreement) -> SealOffer) {
        self.offer = offer(.hybrid(key.curve, publicKey: key.publicKey))
        self.key = consume key
        known = nil
    }

    /// Names a key that both sides know.
    package init(
        sharedKey key: SecretBytes,
        id: String,
        offer: (SealOffer.Agreement) -> SealOffer
    ) {
        self.offer = offer(.shared(keyID: id))
        self.key = nil
        known = key
    }

    /// Takes a password that both sides know.
    package init(password: SecretBytes, offer: (SealOffer.Agreement) -> SealOffer) {
        self.offer = offer(.password)
        key = nil
        known = password
    }

    /// Comes to the secret of the stream's first attachment.
    ///
    /// - Throws: `UnsealError.badParameters` when the gateway did not do what was asked.
    func secret(_ parameters: SealParameters) throws(UnsealError) -> SecretBytes {
        let agreed = try agreed(parameters)
        return SecretBytes(count: KeySchedule.secretByteCount) { secret in
            KeySchedule.deriveSecret(
                from: agreed,
                offer: offer,
                contribution: parameters.contribution.span,
                into: &secret
            )
        }
    }

    private func agreed(_ parameters: SealParameters) throws(UnsealError) -> SecretBytes {
        guard offer.algorithmNames.contains(parameters.algorithm.name) else {
            throw .badParameters("an algorithm that was not offered")
        }
        switch (offer.agreement, parameters.agreement) {
        case (.hybrid(let offered, _), .hybrid(let curve, let publicKey)) where offered == curve:
            return try agreed(with: publicKey)
        case (.shared(let offered), .shared(let keyID)) where offered == keyID:
            return try agreedSecret
        case (.password, .password(let salt, let rounds)):
            guard SealParameters.roundRange.contains(rounds) else {
                throw .badParameters("a number of rounds that is not allowed")
            }
            return try agreedSecret.withSpan {
                KeyDerivation.pbkdf2($0, salt: salt.span, rounds: rounds)
            }
        default: throw .badParameters("another agreement than the one offered")
        }
    }

    private var agreedSecret: SecretBytes {
        get throws(UnsealError) {
            guard let known else { throw .badParameters("an agreement without a secret") }
            return known
        }
    }

    private func agreed(with publicKey: [UInt8]) throws(UnsealError) -> SecretBytes {
        do throws(KeyAgreementError) {
            guard let secret = try key?.sharedSecret(with: publicKey.span) else {
                throw KeyAgreementError.badPublicKey
            }
            return secret
        } catch {
            throw .badParameters("a public key that is none")
        }
    }
}
