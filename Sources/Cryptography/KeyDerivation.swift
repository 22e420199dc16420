import CCrypto

/// Keys made of other keys and of passwords.
package enum KeyDerivation {
    /// HKDF with SHA-256, extract and expand (RFC 5869).
    ///
    /// - Parameters:
    ///   - secret: the input keying material; not empty.
    ///   - salt: may be empty, which means 32 zero bytes.
    ///   - info: what the key is for.
    ///   - output: filled; at most 8,160 bytes.
    package static func hkdf(
        _ secret: Span<UInt8>,
        salt: Span<UInt8>,
        info: Span<UInt8>,
        into output: inout MutableSpan<UInt8>
    ) {
        precondition(secret.count > 0, "a key is made of something")
        precondition(output.count <= 8_160, "HKDF makes at most 255 blocks")
        let function = unsafe EVP_KDF_fetch(nil, "HKDF", nil)
        let context = unsafe EVP_KDF_CTX_new(function)
        defer {
            unsafe EVP_KDF_CTX_free(context)
            unsafe EVP_KDF_free(function)
        }
        let isDerived = unsafe secret.withUnsafeBytes { secret in
            unsafe salt.withUnsafeBytes { salt in
                unsafe info.withUnsafeBytes { info in
                    unsafe output.withUnsafeMutableBufferPointer { output in
                        unsafe CCrypto_hkdf_sha256(
                            context,
                            secret.baseAddress,
                            secret.count,
                            salt.baseAddress,
                            salt.count,
                            info.baseAddress,
                            info.count,
                            output.baseAddress,
                            output.count
                        ) == 1
                    }
                }
            }
        }
        precondition(isDerived, "libcrypto always provides HKDF")
    }

    /// PBKDF2 with HMAC-SHA256 (RFC 8018, section 5.2).
    ///
    /// It takes a core for about half a microsecond per round: not for a thread that must not wait.
    ///
    /// - Parameters:
    ///   - password: any bytes.
    ///   - salt: any bytes.
    ///   - rounds: at least 1.
    /// - Returns: 32 bytes.
    package static func pbkdf2(
        _ password: Span<UInt8>,
        salt: Span<UInt8>,
        rounds: Int
    ) -> SecretBytes {
        precondition((1...Int(Int32.max)).contains(rounds), "there is at least one round")
        return SecretBytes(count: 32) { output in
            let isDerived = unsafe password.withUnsafeBytes { password in
                unsafe salt.withUnsafeBufferPointer { salt in
                    unsafe output.withUnsafeMutableBufferPointer { output in
                        unsafe PKCS5_PBKDF2_HMAC(
                            password.baseAddress?.assumingMemoryBound(to: CChar.self),
                            Int32(password.count),
                            salt.baseAddress,
                            Int32(salt.count),
                            Int32(rounds),
                            EVP_sha256(),
                            Int32(output.count),
                            output.baseAddress
                        ) == 1
                    }
                }
            }
            precondition(isDerived, "libcrypto always provides PBKDF2")
        }
    }
}
