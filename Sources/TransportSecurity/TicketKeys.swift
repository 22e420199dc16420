import COpenSSL

/// One key of session tickets: 16 bytes of name, 32 to encrypt and 32 to authenticate with.
///
/// Proof for `@unchecked Sendable`: its bytes are written in `init` alone.
@safe
final class TicketKey: @unchecked Sendable {
    static let nameByteCount = 16
    private static let byteCount = nameByteCount + 64

    private let bytes: UnsafeMutableBufferPointer<UInt8>

    /// Makes a random key.
    init() throws(SecurityContextError) {
        unsafe bytes = .allocate(capacity: Self.byteCount)
        unsafe bytes.initialize(repeating: 0)
        guard unsafe RAND_priv_bytes(bytes.baseAddress, Int32(Self.byteCount)) == 1 else {
            throw .outOfMemory
        }
    }

    deinit {
        unsafe OPENSSL_cleanse(bytes.baseAddress, Self.byteCount)
        unsafe bytes.deallocate()
    }

    func writeName(to place: UnsafeMutablePointer<UInt8>) {
        for index in 0..<Self.nameByteCount { unsafe place[index] = unsafe bytes[index] }
    }

    func hasName(_ name: UnsafePointer<UInt8>) -> Bool {
        (0..<Self.nameByteCount).allSatisfy { unsafe name[$0] == bytes[$0] }
    }

    /// Prepares OpenSSL's two contexts for a ticket; false when it fails.
    func begin(
        _ cipher: OpaquePointer?,
        _ mac: OpaquePointer?,
        _ vector: UnsafePointer<UInt8>,
        seals: Bool
    ) -> Bool {
        guard let base = unsafe bytes.baseAddress else { return false }
        let cipherKey = unsafe base + Self.nameByteCount
        let macKey = unsafe cipherKey + 32
        return unsafe COpenSSL_begin_ticket(cipher, mac, cipherKey, macKey, vector, seals ? 1 : 0)
            == 1
    }
}

/// The keys that tickets are sealed and opened with.
package struct TicketKeys: Sendable {
    /// New tickets are sealed with it.
    private let current: TicketKey
    /// It still opens tickets.
    private let previous: TicketKey?

    package init() throws(SecurityContextError) {
        current = try TicketKey()
        previous = nil
    }

    private init(after keys: TicketKeys) throws(SecurityContextError) {
        current = try TicketKey()
        previous = keys.current
    }

    /// Returns keys with a new one to seal with; the one before the last opens nothing any more.
    package func rotated() throws(SecurityContextError) -> TicketKeys {
        try TicketKeys(after: self)
    }

    var sealing: TicketKey { current }

    func opening(_ name: UnsafePointer<UInt8>) -> TicketKey? {
        if unsafe current.hasName(name) { return current }
        guard let previous, unsafe previous.hasName(name) else { return nil }
        return previous
    }
}
