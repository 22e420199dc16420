import Cryptography
import Sealing

/// What the gateway knows for sealing answers.
package struct SealingSettings: Sendable {
    /// The keys that accounts share with it, by their ids.
    package var keys: [String: SharedKey] = [:]
    /// The accounts' passwords, in UTF-8.
    package var passwords: [String: SecretBytes] = [:]
    package var rotation = SealRotation()
    /// Texts are padded to a multiple of so many bytes; 0: only where a client asks for it.
    package var pad = 0

    package init() {}
}
