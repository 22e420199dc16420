import Cryptography
import Gateway

/// Every key that opens the gateway: those of the configuration and those of the data directory.
///
/// A plain value: a reload makes a new one.
package struct KeyStore: Sendable {
    private struct Entry: Sendable {
        let digest: SHA256Digest
        let caller: Caller
    }

    /// By the first byte of the digest.
    ///
    /// What is looked up is a digest of what the caller presents,
    /// so which bucket is read tells nothing of the stored keys.
    private var buckets: [[Entry]]

    /// A store without keys.
    package init() { buckets = [[Entry]](repeating: [], count: 256) }

    package init(accounts: [AccountConfiguration], stored: [StoredKey]) {
        self.init()
        for account in accounts {
            for key in account.keys {
                insert(key.sha256, Caller(account: account.id, keyID: key.id))
            }
        }
        for key in stored {
            guard let digest = SHA256Digest(hexadecimal: key.sha256) else { continue }
            insert(digest, Caller(account: key.account, keyID: key.id))
        }
    }

    /// Reads the keys of the configuration and of its data directory.
    ///
    /// - Throws: `KeyFileError`.
    package init(_ configuration: WeirConfiguration) throws(KeyFileError) {
        let file = KeyFile(directory: configuration.data.directory)
        self.init(accounts: configuration.accounts, stored: try file.read())
    }

    /// Whose keys there are.
    package var callers: [Caller] { buckets.flatMap { $0.map(\.caller) } }

    /// How many keys there are.
    package var count: Int { buckets.reduce(0) { $0 + $1.count } }

    /// Returns whose key `presented` is; nil for an unknown one.
    ///
    /// Every entry that could match is compared in full, in constant time.
    package func caller(presenting presented: String) -> Caller? {
        guard presented.utf8.count <= APIKey.byteLimit else { return nil }
        let digest = SHA256Digest(of: presented)
        var found: Caller?
        for entry in buckets[Int(digest.bytes[0])] where entry.digest == digest {
            found = entry.caller
        }
        return found
    }

    /// Adds a key by its hash.
    mutating func insert(_ digest: SHA256Digest, _ caller: Caller) {
        buckets[Int(digest.bytes[0])].append(Entry(digest: digest, caller: caller))
    }
}

/// What `weir keys create` makes.
package enum APIKey {
    package static let prefix = "weir_"
    /// Longer ones are refused unread.
    package static let byteLimit = 512

    /// Returns a new key: the prefix and 40 random letters and digits, 238 bits.
    package static func random() throws(RandomnessError) -> String {
        prefix + (try SecureRandom.base62(length: 40))
    }
}
