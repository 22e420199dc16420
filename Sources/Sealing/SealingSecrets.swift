import Cryptography

/// A key that an account's clients and the gateway know.
package final class SharedKey: Sendable {
    /// The shortest key, in bytes.
    package static let byteLimit = 32

    package let id: String
    /// Whose streams it may seal.
    package let account: String
    package let secret: SecretBytes

    /// - Parameters:
    ///   - id: names it to clients.
    ///   - account: whose streams it may seal.
    ///   - secret: at least `byteLimit` bytes, as hard to guess as so many random ones.
    package init(id: String, account: String, secret: SecretBytes) {
        precondition(secret.count >= Self.byteLimit, "a shared key has 32 bytes or more")
        self.id = id
        self.account = account
        self.secret = secret
    }
}

/// What a password gives with one salt.
package final class PasswordKey: Sendable {
    package static let saltByteCount = 16
    package static let rounds = KeySchedule.passwordRounds

    package let salt: [UInt8]
    package let secret: SecretBytes

    /// Derives it, which takes a core for a third of a second: not for a reactor.
    ///
    /// - Parameters:
    ///   - password: the account's.
    ///   - salt: `saltByteCount` random bytes.
    package init(password: SecretBytes, salt: [UInt8]) {
        self.salt = salt
        secret = password.withSpan {
            KeyDerivation.pbkdf2($0, salt: salt.span, rounds: Self.rounds)
        }
    }
}
