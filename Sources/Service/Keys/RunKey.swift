import Cryptography
import StreamBytes

/// The key with which the account `local` can be tried at once.
///
/// At the first start it is a lasting one, of which the hash is stored; later starts, which cannot
/// know it any more, make one that holds while the process runs.
struct RunKey: Sendable {
    let key: String
    let id: String
    private let isLasting: Bool

    var digest: SHA256Digest { SHA256Digest(of: key) }

    /// - Throws: `KeyFileError`, `RandomnessError`.
    init(directory: String) throws {
        let key = try APIKey.random()
        self.key = key
        let file = KeyFile(directory: directory)
        isLasting = try !file.read().contains { $0.account == "local" }
        id = isLasting ? "local" : "run"
        guard isLasting else { return }
        let stored = StoredKey(
            id: id,
            account: "local",
            createdAtMilliseconds: WallTime.now.milliseconds,
            ending: String(key.suffix(4)),
            sha256: digest.hexadecimal
        )
        try file.update { $0.append(stored) }
    }

    /// What a person is told of it.
    var explanation: String {
        isLasting
            ? "made a key for the account local; it is shown this once: \(key)"
            : "a key for the account local, valid until this process stops: \(key)"
    }
}
