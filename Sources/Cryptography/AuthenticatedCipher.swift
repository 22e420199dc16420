import CCrypto

/// A cipher that hides a message and shows whether it was changed.
package enum AEADAlgorithm: UInt8, Sendable, CaseIterable {
    /// NIST SP 800-38D.
    case aes256GCM = 1
    /// RFC 8439.
    case chaCha20Poly1305 = 2

    /// The same for both, in bytes.
    package static let keyByteCount = 32
    package static let nonceByteCount = 12
    package static let tagByteCount = 16

    fileprivate var cipher: OpaquePointer? {
        switch self {
        case .aes256GCM: unsafe EVP_aes_256_gcm()
        case .chaCha20Poly1305: unsafe EVP_chacha20_poly1305()
        }
    }
}

/// Encrypts and decrypts under any number of keys, one after the other.
///
/// It owns one context of libcrypto per algorithm and direction (1.2 KB each), made at its first
/// use; a key is set for each message, so that whoever has keys needs 32 bytes and no context. The
/// last key stays in the context until the next one, or until the end of the cipher, which wipes it.
///
/// A pair of key and nonce must never encrypt twice: that is the caller's to see to.
@safe
package struct AuthenticatedCipher: ~Copyable {
    private var contexts: [4 of OpaquePointer?]
    private let usesHardware: Bool

    /// - Parameter allowsHardware: whether AES-256-GCM encrypts with `HardwareCipher` where the
    ///   processor has it.
    package init(allowsHardware: Bool = true) {
        unsafe contexts = .init(repeating: nil)
        usesHardware = allowsHardware && HardwareCipher.isAvailable
    }

    deinit {
        for index in 0..<4 { unsafe EVP_CIPHER_CTX_free(contexts[index]) }
    }

    /// Encrypts the end of a message in place and appends the tag.
    ///
    /// - Parameters:
    ///   - message: encrypted from `start` on; grows by `tagByteCount`.
    ///   - start: where the secret part begins.
    ///   - algorithm: the cipher.
    ///   - key: `keyByteCount` bytes.
    ///   - nonce: `nonceByteCount` bytes.
    ///   - associated: the bytes of the message before `start` that are authenticated too.
    package mutating func seal(
        _ message: inout [UInt8],
        from start: Int,
        with algorithm: AEADAlgorithm,
        key: Span<UInt8>,
        nonce: Span<UInt8>,
        authenticating associated: Range<Int>
    ) {
        let count = message.count - start
        precondition(count >= 0 && count <= Int(Int32.max), "a message begins before its end")
        precondition(associated.upperBound <= start, "what is authenticated only stays in clear")
        if algorithm == .aes256GCM, usesHardware {
            return HardwareCipher.seal(
                &message,
                from: start,
                key: key,
                nonce: nonce,
                authenticating: associated
            )
        }
        let context = unsafe context(algorithm, encrypts: true, key, nonce)
        unsafe Self.update(context, message.span.extracting(associated))
        message.append(addingCapacity: AEADAlgorithm.tagByteCount) { tag in
            tag.append(repeating: 0, count: AEADAlgorithm.tagByteCount)
        }
        let isSealed = unsafe message.withUnsafeMutableBufferPointer { message in
            guard let base = message.baseAddress else { return false }
            let text = unsafe base + start
            var written: Int32 = 0
            return unsafe EVP_EncryptUpdate(context, text, &written, text, Int32(count)) == 1
                && EVP_EncryptFinal_ex(context, text + count, &written) == 1
                && EVP_CIPHER_CTX_ctrl(
                    context,
                    EVP_CTRL_AEAD_GET_TAG,
                    Int32(AEADAlgorithm.tagByteCount),
                    text + count
                ) == 1
        }
        precondition(isSealed, "libcrypto encrypts what it is given")
    }

    /// Decrypts a message.
    ///
    /// - Parameters:
    ///   - message: ciphertext and tag.
    ///   - algorithm: the cipher.
    ///   - key: `keyByteCount` bytes.
    ///   - nonce: `nonceByteCount` bytes.
    ///   - associated: as it was when the message was sealed.
    /// - Returns: the text; nil if the message, the associated bytes, the nonce or the key is not
    ///   the one that it was sealed with.
    package mutating func open(
        _ message: Span<UInt8>,
        with algorithm: AEADAlgorithm,
        key: Span<UInt8>,
        nonce: Span<UInt8>,
        authenticating associated: Span<UInt8>
    ) -> [UInt8]? {
        let count = message.count - AEADAlgorithm.tagByteCount
        guard count >= 0, count <= Int(Int32.max) else { return nil }
        let context = unsafe context(algorithm, encrypts: false, key, nonce)
        unsafe Self.update(context, associated)
        // One more than needed, so that the last call has a place that it may name.
        var text = [UInt8](repeating: 0, count: count + 1)
        var tag = [UInt8](repeating: 0, count: AEADAlgorithm.tagByteCount)
        for index in tag.indices { tag[index] = message[count + index] }
        let isGenuine = unsafe message.withUnsafeBufferPointer { message in
            unsafe text.withUnsafeMutableBufferPointer { text in
                unsafe tag.withUnsafeMutableBufferPointer { tag in
                    guard let output = text.baseAddress else { return false }
                    var written: Int32 = 0
                    return unsafe EVP_DecryptUpdate(
                        context,
                        output,
                        &written,
                        message.baseAddress,
                        Int32(count)
                    ) == 1
                        && EVP_CIPHER_CTX_ctrl(
                            context,
                            EVP_CTRL_AEAD_SET_TAG,
                            Int32(tag.count),
                            tag.baseAddress
                        ) == 1
                        && EVP_DecryptFinal_ex(context, output + count, &written) == 1
                }
            }
        }
        guard isGenuine else {
            // The queue of errors belongs to the thread, which may serve TLS as well.
            ERR_clear_error()
            wipe(&text)
            return nil
        }
        text.removeLast()
        return text
    }

    /// The context of an algorithm and direction, with key and nonce set.
    private mutating func context(
        _ algorithm: AEADAlgorithm,
        encrypts: Bool,
        _ key: Span<UInt8>,
        _ nonce: Span<UInt8>
    ) -> OpaquePointer? {
        precondition(key.count == AEADAlgorithm.keyByteCount, "a key has 32 bytes")
        precondition(nonce.count == AEADAlgorithm.nonceByteCount, "a nonce has 12 bytes")
        let place = Int(algorithm.rawValue - 1) * 2 + (encrypts ? 0 : 1)
        let context: OpaquePointer?
        let direction: Int32 = encrypts ? 1 : 0
        if let known = unsafe contexts[place] {
            unsafe context = known
        } else {
            unsafe context = EVP_CIPHER_CTX_new()
            let isMade = unsafe EVP_CipherInit_ex(
                context,
                algorithm.cipher,
                nil,
                nil,
                nil,
                direction
            )
            precondition(isMade == 1, "libcrypto has both ciphers, and memory for a context")
            unsafe contexts[place] = context
        }
        let isSet = unsafe key.withUnsafeBufferPointer { key in
            unsafe nonce.withUnsafeBufferPointer { nonce in
                unsafe EVP_CipherInit_ex(
                    context,
                    nil,
                    nil,
                    key.baseAddress,
                    nonce.baseAddress,
                    direction
                )
            }
        }
        precondition(isSet == 1, "libcrypto takes any key and nonce of the right length")
        return unsafe context
    }

    private static func update(_ context: OpaquePointer?, _ associated: Span<UInt8>) {
        guard associated.count > 0 else { return }
        var written: Int32 = 0
        let isTaken = unsafe associated.withUnsafeBufferPointer {
            unsafe EVP_CipherUpdate(context, nil, &written, $0.baseAddress, Int32($0.count))
        }
        precondition(isTaken == 1, "libcrypto authenticates what it is given")
    }
}
