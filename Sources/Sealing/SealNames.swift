import Cryptography
import StreamBytes

extension AEADAlgorithm {
    /// What offers, start events and meter records call it.
    package var name: String {
        switch self {
        case .aes256GCM: "aes-256-gcm"
        case .chaCha20Poly1305: "chacha20-poly1305"
        }
    }

    package init?(name: String) {
        guard let known = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = known
    }
}

extension AgreementCurve {
    /// What offers and start events call it.
    package var name: String {
        switch self {
        case .x25519: "x25519"
        case .p256: "p-256"
        }
    }

    package init?(name: String) {
        guard let known = Self.allCases.first(where: { $0.name == name }) else { return nil }
        self = known
    }
}

extension [UInt8] {
    /// Appends the bytes of a number, the highest first.
    mutating func append(bigEndian number: some FixedWidthInteger) {
        unsafe Swift.withUnsafeBytes(of: number.bigEndian) { unsafe append(contentsOf: $0) }
    }

    /// Appends the count of `bytes` in four bytes, and `bytes`.
    mutating func append(lengthPrefixed bytes: Span<UInt8>) {
        append(bigEndian: UInt32(bytes.count))
        append(bytes)
    }

    /// Appends the count of the text's bytes in four bytes, and the text.
    mutating func append(lengthPrefixed text: String) {
        append(bigEndian: UInt32(text.utf8.count))
        append(contentsOf: text.utf8)
    }
}
