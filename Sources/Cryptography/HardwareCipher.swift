import CSodium

/// AES-256-GCM by libsodium with the processor's own instructions, for short messages under keys that
/// change with each: half of what libcrypto takes for an event goes into setting its key.
///
/// What either encrypts the other decrypts.
enum HardwareCipher {
    /// Whether the processor has the instructions; libcrypto does without.
    static let isAvailable = sodium_init() >= 0 && crypto_aead_aes256gcm_is_available() == 1

    /// As `AuthenticatedCipher.seal`.
    static func seal(
        _ message: inout [UInt8],
        from start: Int,
        key: Span<UInt8>,
        nonce: Span<UInt8>,
        authenticating associated: Range<Int>
    ) {
        let count = message.count - start
        message.append(addingCapacity: AEADAlgorithm.tagByteCount) { tag in
            tag.append(repeating: 0, count: AEADAlgorithm.tagByteCount)
        }
        let isSealed = unsafe message.withUnsafeMutableBufferPointer { message in
            guard let base = message.baseAddress else { return false }
            let text = unsafe base + start
            return unsafe key.withUnsafeBufferPointer { key in
                unsafe nonce.withUnsafeBufferPointer { nonce in
                    guard let key = key.baseAddress, let nonce = nonce.baseAddress else {
                        return false
                    }
                    return unsafe crypto_aead_aes256gcm_encrypt_detached(
                        text,
                        text + count,
                        nil,
                        text,
                        UInt64(count),
                        base + associated.lowerBound,
                        UInt64(associated.count),
                        nil,
                        nonce,
                        key
                    ) == 0
                }
            }
        }
        precondition(isSealed, "libsodium encrypts what it is given")
    }
}
