import Cryptography
import FoundationEssentials
import Glibc

/// A key that `weir keys create` made, as it is kept: everything but the key.
package struct StoredKey: Codable, Equatable, Sendable {
    package let id: String
    package let account: String
    /// Milliseconds since 1970 UTC.
    package let createdAtMilliseconds: Int64
    /// The key's last four characters, so that people can tell keys apart.
    package let ending: String
    /// The SHA-256 of the whole key, in hexadecimal.
    package let sha256: String

    package init(
        id: String,
        account: String,
        createdAtMilliseconds: Int64,
        ending: String,
        sha256: String
    ) {
        self.id = id
        self.account = account
        self.createdAtMilliseconds = createdAtMilliseconds
        self.ending = ending
        self.sha256 = sha256
    }

    enum CodingKeys: String, CodingKey {
        case id
        case account
        case createdAtMilliseconds = "created_at_ms"
        case ending
        case sha256
    }
}

/// The keys of a data directory: `keys.json`, mode 0600.
package struct KeyFile: Sendable {
    package static let name = "keys.json"
    /// The most keys that a file may hold.
    package static let keyLimit = 100_000

    private struct Document: Codable {
        var version = 1
        var keys: [StoredKey]
    }

    private let path: String

    /// - Parameter directory: the data directory; it need not exist for reading.
    package init(directory: String) { path = "\(directory)/\(Self.name)" }

    /// Returns the keys, oldest first; none when there is no file.
    ///
    /// - Throws: `KeyFileError`.
    package func read() throws(KeyFileError) -> [StoredKey] {
        let bytes: [UInt8]
        do {
            bytes = try Files.read(path, limit: 64 << 20)
        } catch {
            if error == .missing { return [] }
            throw .unusable(path, error)
        }
        guard let document = try? JSONDecoder().decode(Document.self, from: Data(bytes)),
            document.version == 1,
            document.keys.allSatisfy({ SHA256Digest(hexadecimal: $0.sha256) != nil })
        else { throw .damaged(path) }
        return document.keys
    }

    /// Replaces the keys by what `change` makes of them, while no other process changes them.
    ///
    /// - Throws: `KeyFileError`; the file is then unchanged.
    package func update<Failure: Error>(
        _ change: (inout [StoredKey]) throws(Failure) -> Void
    ) throws {
        let descriptor: Int32
        do {
            // A lock on the file itself would not survive the file's replacement.
            descriptor = try Files.open("\(path).lock", O_RDWR | O_CREAT | O_CLOEXEC, mode: 0o600)
        } catch {
            throw KeyFileError.unusable(path, error)
        }
        defer { close(descriptor) }
        while flock(descriptor, LOCK_EX) != 0 {
            guard errno == EINTR else {
                throw KeyFileError.unusable(path, FileError(number: errno))
            }
        }
        var keys = try read()
        try change(&keys)
        guard keys.count <= Self.keyLimit else { throw KeyFileError.full(limit: Self.keyLimit) }
        try write(keys)
    }

    private func write(_ keys: [StoredKey]) throws(KeyFileError) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        guard let data = try? encoder.encode(Document(keys: keys)) else { throw .damaged(path) }
        do {
            try Files.replace(path, with: Array(data) + [0x0A], mode: 0o600)
        } catch {
            throw .unusable(path, error)
        }
    }
}

/// Why stored keys cannot be used.
package enum KeyFileError: Error, Equatable, CustomStringConvertible {
    case unusable(String, FileError)
    /// The file is not what this program wrote.
    case damaged(String)
    case full(limit: Int)

    package var description: String {
        switch self {
        case .unusable(let path, let error): "\(path) \(error)"
        case .damaged(let path): "\(path) is damaged: it does not hold keys as weir writes them"
        case .full(let limit): "there are \(limit) keys already, which is the most"
        }
    }
}
