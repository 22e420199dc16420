import COpenSSL
import StreamBytes

/// A new key (ECDSA, P-256) and a certificate for it that nobody else vouches for.
package struct SelfSignedCertificate: Sendable {
    /// PEM.
    package let certificate: String
    /// PEM, PKCS #8, without a password.
    package let key: String

    /// Makes both.
    ///
    /// - Parameters:
    ///   - names: what it is for, as OpenSSL writes it: `DNS:localhost`, `IP:127.0.0.1`.
    ///   - validFrom: the first moment, in whole seconds.
    ///   - validUntil: the last one.
    /// - Throws: `notMade`, such as when OpenSSL refuses a name.
    package init(
        for names: [String],
        validFrom: WallTime,
        validUntil: WallTime
    ) throws(SecurityContextError) {
        let key = unsafe COpenSSL_make_p256_key()
        let certificate = unsafe X509_new()
        defer {
            unsafe X509_free(certificate)
            unsafe EVP_PKEY_free(key)
            ERR_clear_error()
        }
        let isDescribed =
            unsafe Self.describe(certificate, validFrom, validUntil)
            && Self.extend(certificate, names.joined(separator: ","))
        let isSigned =
            unsafe X509_set_pubkey(certificate, key) == 1
            && X509_sign(certificate, key, EVP_sha256()) > 0
        guard isDescribed, isSigned else { throw .notMade(reason: ContextHandle.reason()) }
        self.certificate = try unsafe Self.text { unsafe PEM_write_bio_X509($0, certificate) }
        self.key = try unsafe Self.text {
            unsafe PEM_write_bio_PKCS8PrivateKey($0, key, nil, nil, 0, nil, nil)
        }
    }

    private static func describe(
        _ certificate: OpaquePointer?,
        _ validFrom: WallTime,
        _ validUntil: WallTime
    ) -> Bool {
        // The top bit stays 0, and the number within the 20 bytes that RFC 5280 allows.
        var serial: UInt64 = 0
        let isRandom = unsafe withUnsafeMutableBytes(of: &serial) {
            unsafe RAND_bytes($0.bindMemory(to: UInt8.self).baseAddress, Int32($0.count)) == 1
        }
        let subject = unsafe X509_get_subject_name(certificate)
        let name = Array("Weir, self-signed".utf8)
        return unsafe isRandom
            && ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), serial >> 1) == 1
            && X509_set_version(certificate, 2) == 1
            && ASN1_TIME_set(X509_getm_notBefore(certificate), validFrom.wholeSeconds) != nil
            && ASN1_TIME_set(X509_getm_notAfter(certificate), validUntil.wholeSeconds) != nil
            && X509_NAME_add_entry_by_NID(
                subject,
                NID_commonName,
                MBSTRING_FLAG,
                name,
                Int32(name.count),
                -1,
                0
            ) == 1
            && X509_set_issuer_name(certificate, subject) == 1
    }

    private static func extend(_ certificate: OpaquePointer?, _ names: String) -> Bool {
        let extensions = [
            (NID_basic_constraints, "critical,CA:FALSE"),
            (NID_key_usage, "critical,digitalSignature"),
            (NID_ext_key_usage, "serverAuth"),
            (NID_subject_alt_name, names),
        ]
        for (kind, value) in extensions {
            guard let made = unsafe X509V3_EXT_conf_nid(nil, nil, kind, value) else { return false }
            let isAdded = unsafe X509_add_ext(certificate, made, -1) == 1
            unsafe X509_EXTENSION_free(made)
            guard isAdded else { return false }
        }
        return true
    }

    private static func text(
        _ write: (OpaquePointer?) -> Int32
    ) throws(SecurityContextError) -> String {
        let memory = unsafe BIO_new(BIO_s_mem())
        defer { unsafe BIO_free(memory) }
        guard unsafe memory != nil, unsafe write(memory) == 1 else { throw .outOfMemory }
        var bytes = [UInt8](repeating: 0, count: 8_192)
        let count = unsafe bytes.withUnsafeMutableBytes {
            unsafe BIO_read(memory, $0.baseAddress, Int32($0.count))
        }
        guard count > 0, count < bytes.count else { throw .outOfMemory }
        return String(decoding: bytes[..<Int(count)], as: UTF8.self)
    }
}

extension WallTime {
    fileprivate var wholeSeconds: Int { Int(milliseconds / 1_000) }
}
