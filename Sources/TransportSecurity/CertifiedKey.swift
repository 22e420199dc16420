import COpenSSL
import StreamBytes

/// What a certificate says, for checks and reports.
package struct CertificateSummary: Equatable, Sendable {
    /// The file that it was read from.
    package let file: String
    /// The host names of its subjectAltName, in small letters; some start with `*.`.
    package let names: [String]
    package let validFrom: WallTime
    package let validUntil: WallTime
    /// The SHA-256 of the certificate.
    package let fingerprint: [UInt8]
    /// The kind of its key, in OpenSSL's numbers.
    let keyKind: Int32

    /// - Throws: `expired` or `notYetValid`.
    package func checkValidity(at now: WallTime) throws(SecurityContextError) {
        if now < validFrom { throw .notYetValid(certificateFile: file, until: validFrom) }
        if now >= validUntil { throw .expired(certificateFile: file, at: validUntil) }
    }
}

/// A certificate with its chain and its key.
final class CertifiedKey: Sendable {
    let summary: CertificateSummary
    /// What OpenSSL's own reader read; never changed afterwards.
    private let holder: ContextHandle

    /// - Throws: `SecurityContextError`, which names the file.
    init(_ files: KeyPairFiles) throws(SecurityContextError) {
        holder = try ContextHandle(isServer: true)
        try unsafe Self.read(files, into: holder.pointer)
        summary = try unsafe Self.summarize(holder.pointer, files.certificateFile)
    }

    /// Has a context show it, beside those with other kinds of key.
    func add(to handle: ContextHandle) throws(SecurityContextError) {
        guard unsafe COpenSSL_add_certificate(handle.pointer, holder.pointer) == 1 else {
            throw .certificateFile(summary.file, reason: ContextHandle.reason())
        }
    }

    private static func read(
        _ files: KeyPairFiles,
        into holder: OpaquePointer
    ) throws(SecurityContextError) {
        guard unsafe SSL_CTX_use_certificate_chain_file(holder, files.certificateFile) == 1 else {
            throw .certificateFile(files.certificateFile, reason: ContextHandle.reason())
        }
        let outcome = unsafe SSL_CTX_use_PrivateKey_file(holder, files.keyFile, SSL_FILETYPE_PEM)
        guard outcome != 1 else { return }
        let isMismatch = ERR_GET_REASON(ERR_peek_error()) == X509_R_KEY_VALUES_MISMATCH
        let reason = ContextHandle.reason()
        throw isMismatch
            ? .keyMismatch(certificateFile: files.certificateFile, keyFile: files.keyFile)
            : .keyFile(files.keyFile, reason: reason)
    }

    private static func summarize(
        _ holder: OpaquePointer,
        _ file: String
    ) throws(SecurityContextError) -> CertificateSummary {
        guard let certificate = unsafe SSL_CTX_get0_certificate(holder),
            let key = unsafe SSL_CTX_get0_privatekey(holder)
        else { throw .outOfMemory }
        return unsafe CertificateSummary(
            file: file,
            names: hostNames(of: certificate),
            validFrom: time(X509_get0_notBefore(certificate)),
            validUntil: time(X509_get0_notAfter(certificate)),
            fingerprint: fingerprint(of: certificate),
            keyKind: EVP_PKEY_get_base_id(key)
        )
    }

    private static func time(_ pointer: UnsafePointer<ASN1_TIME>?) -> WallTime {
        unsafe WallTime(milliseconds: COpenSSL_seconds(pointer) * 1_000)
    }

    private static func hostNames(of certificate: OpaquePointer) -> [String] {
        var names: [String] = []
        unsafe withUnsafeMutablePointer(to: &names) { names in
            unsafe COpenSSL_each_host_name(
                certificate,
                { name, count, names in
                    guard let name = unsafe name, let names = unsafe names else { return }
                    let bytes = unsafe UnsafeRawBufferPointer(start: name, count: Int(count))
                    let text = unsafe String(decoding: bytes, as: UTF8.self).lowercased()
                    unsafe names.assumingMemoryBound(to: [String].self).pointee.append(text)
                },
                names
            )
        }
        return names
    }

    private static func fingerprint(of certificate: OpaquePointer) -> [UInt8] {
        var count = UInt32(0)
        var digest = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        unsafe digest.withUnsafeMutableBufferPointer {
            _ = unsafe X509_digest(certificate, EVP_sha256(), $0.baseAddress, &count)
        }
        return Array(digest.prefix(Int(count)))
    }
}
