import CCrypto

/// A group in which two sides agree on a secret.
package enum AgreementCurve: UInt8, Sendable, CaseIterable {
    /// RFC 7748; public keys have 32 bytes.
    case x25519 = 1
    /// FIPS 186-4; public keys are uncompressed points of 65 bytes (SEC 1, section 2.3.3).
    case p256 = 2

    package var publicKeyByteCount: Int { self == .x25519 ? 32 : 65 }
}

package enum KeyAgreementError: Error, Equatable {
    /// The other side's public key is no point of the curve, or one that makes no secret.
    case badPublicKey
    /// The system has no randomness to give.
    case noRandomness
}

/// A private key that serves for one agreement.
///
/// Owns libcrypto's key: `deinit` wipes and frees it.
@safe
package struct EphemeralKey: ~Copyable {
    package let curve: AgreementCurve
    private let key: OpaquePointer

    /// Makes a new one.
    ///
    /// - Throws: `KeyAgreementError.noRandomness`.
    package init(_ curve: AgreementCurve) throws(KeyAgreementError) {
        let context = unsafe EVP_PKEY_CTX_new_from_name(nil, curve.keyType, nil)
        defer { unsafe EVP_PKEY_CTX_free(context) }
        var key: OpaquePointer?
        let isReady =
            unsafe EVP_PKEY_keygen_init(context) == 1
            && (curve == .x25519 || EVP_PKEY_CTX_set_group_name(context, "P-256") == 1)
        precondition(isReady, "libcrypto always provides both curves")
        guard unsafe EVP_PKEY_generate(context, &key) == 1, let key = unsafe key else {
            ERR_clear_error()
            throw .noRandomness
        }
        self.curve = curve
        unsafe self.key = key
    }

    /// Takes a private key that is known, as those of test vectors are.
    ///
    /// - Parameters:
    ///   - curve: the key's.
    ///   - privateKey: 32 bytes.
    /// - Throws: `KeyAgreementError.badPublicKey` where they make no key.
    package init(
        _ curve: AgreementCurve,
        privateKey: Span<UInt8>
    ) throws(KeyAgreementError) {
        guard privateKey.count == 32 else { throw .badPublicKey }
        // SEC 1, section C.4, and RFC 8410, section 7, up to the key and after it.
        let (type, before, after): (Int32, [UInt8], [UInt8]) =
            switch curve {
            case .x25519:
                (
                    EVP_PKEY_X25519,
                    [0x30, 46, 2, 1, 0, 0x30, 5, 6, 3, 0x2B, 0x65, 0x6E, 4, 34, 4, 32], []
                )
            case .p256:
                (
                    EVP_PKEY_EC, [0x30, 49, 2, 1, 1, 4, 32],
                    [0xA0, 10, 6, 8, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 3, 1, 7]
                )
            }
        var encoded = before
        encoded.append(privateKey)
        encoded += after
        defer { wipe(&encoded) }
        let decoded = unsafe encoded.withUnsafeBufferPointer { bytes in
            var place = bytes.baseAddress
            return unsafe d2i_PrivateKey(type, nil, &place, bytes.count)
        }
        guard let key = unsafe decoded else {
            ERR_clear_error()
            throw .badPublicKey
        }
        self.curve = curve
        unsafe self.key = key
    }

    deinit { unsafe EVP_PKEY_free(key) }

    /// The half that the other side needs.
    package var publicKey: [UInt8] {
        var encoded: UnsafeMutablePointer<UInt8>?
        let count = unsafe EVP_PKEY_get1_encoded_public_key(key, &encoded)
        precondition(count == curve.publicKeyByteCount, "a key of the curve has a public half")
        defer { unsafe CRYPTO_free(encoded, nil, 0) }
        return unsafe Array(UnsafeBufferPointer(start: encoded, count: count))
    }

    /// Agrees with the other side.
    ///
    /// - Parameter publicKey: the other side's, in the curve's form.
    /// - Returns: 32 bytes, which are no key yet: they are not uniform.
    /// - Throws: `KeyAgreementError.badPublicKey`.
    package func sharedSecret(
        with publicKey: Span<UInt8>
    ) throws(KeyAgreementError) -> SecretBytes {
        guard publicKey.count == curve.publicKeyByteCount,
            curve == .x25519 || publicKey[0] == 4
        else { throw .badPublicKey }
        let peer = unsafe EVP_PKEY_new()
        let context = unsafe EVP_PKEY_CTX_new_from_pkey(nil, key, nil)
        defer {
            unsafe EVP_PKEY_free(peer)
            unsafe EVP_PKEY_CTX_free(context)
            ERR_clear_error()
        }
        let isPoint = unsafe publicKey.withUnsafeBufferPointer {
            unsafe EVP_PKEY_copy_parameters(peer, key) == 1
                && EVP_PKEY_set1_encoded_public_key(peer, $0.baseAddress, $0.count) == 1
        }
        guard isPoint, unsafe EVP_PKEY_derive_init(context) == 1,
            unsafe EVP_PKEY_derive_set_peer(context, peer) == 1
        else { throw .badPublicKey }
        return try SecretBytes(count: 32) { secret throws(KeyAgreementError) in
            var count = secret.count
            let isAgreed = unsafe secret.withUnsafeMutableBufferPointer {
                unsafe EVP_PKEY_derive(context, $0.baseAddress, &count) == 1
            }
            guard isAgreed, count == 32 else { throw .badPublicKey }
        }
    }
}

/// A public key in as few bytes as it can be told again from.
package struct CompressedPublicKey: Sendable {
    package let curve: AgreementCurve
    /// For X25519 0 and the key; for P-256 the compressed point, which begins with 2 or 3.
    private var bytes = [33 of UInt8](repeating: 0)

    /// - Parameters:
    ///   - publicKey: as `EphemeralKey` gives it.
    ///   - curve: its curve.
    package init(_ publicKey: [UInt8], on curve: AgreementCurve) {
        precondition(publicKey.count == curve.publicKeyByteCount, "a public key is whole")
        self.curve = curve
        let start = curve == .x25519 ? 0 : 1
        for index in 0..<32 { bytes[index + 1] = publicKey[start + index] }
        if curve == .p256 { bytes[0] = 2 | publicKey[64] & 1 }
    }

    /// The key as `EphemeralKey` gives it.
    package var publicKey: [UInt8] {
        var copy: [UInt8] = []
        for index in 0..<33 { copy.append(bytes[index]) }
        return curve == .x25519 ? Array(copy.dropFirst()) : Self.uncompressed(copy)
    }

    private static func uncompressed(_ point: [UInt8]) -> [UInt8] {
        let group = unsafe EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1)
        let decoded = unsafe EC_POINT_new(group)
        defer {
            unsafe EC_POINT_free(decoded)
            unsafe EC_GROUP_free(group)
        }
        return unsafe [UInt8](unsafeUninitializedCapacity: 65) { output, count in
            let isRead = unsafe point.withUnsafeBufferPointer {
                unsafe EC_POINT_oct2point(group, decoded, $0.baseAddress, $0.count, nil) == 1
            }
            precondition(isRead, "a point that was compressed is one of the curve")
            unsafe count = EC_POINT_point2oct(
                group,
                decoded,
                POINT_CONVERSION_UNCOMPRESSED,
                output.baseAddress,
                output.count,
                nil
            )
        }
    }
}

extension AgreementCurve {
    fileprivate var keyType: String { self == .x25519 ? "X25519" : "EC" }
}
