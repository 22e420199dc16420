import COpenSSL

/// Why certificates or keys cannot be used.
package enum SecurityContextError: Error, Equatable, Sendable, CustomStringConvertible {
    case outOfMemory
    case authorityFile(String, reason: String)
    case certificateFile(String, reason: String)
    case keyFile(String, reason: String)
    /// The key is not the one of the certificate.
    case keyMismatch(certificateFile: String, keyFile: String)

    package var description: String {
        switch self {
        case .outOfMemory: "no memory for TLS"
        case .authorityFile(let path, let reason):
            "cannot read the authorities in \(path): \(reason)"
        case .certificateFile(let path, let reason):
            "cannot read the certificate in \(path): \(reason)"
        case .keyFile(let path, let reason): "cannot read the key in \(path): \(reason)"
        case .keyMismatch(let certificate, let key):
            "the key in \(key) does not belong to the certificate in \(certificate)"
        }
    }
}

/// What all TLS connections of one kind share: versions, trust, certificate.
///
/// Proof for `@unchecked Sendable`: it does not change after `init`, and OpenSSL counts the
/// references of a context with atomics, so that any thread may make sessions from it.
@safe
package final class SecurityContext: @unchecked Sendable {
    let pointer: OpaquePointer
    let isServer: Bool
    private let offer: ProtocolOffer

    private init(isServer: Bool, protocols: [String]) throws(SecurityContextError) {
        let method = unsafe isServer ? TLS_server_method() : TLS_client_method()
        guard let pointer = unsafe SSL_CTX_new(method) else { throw .outOfMemory }
        unsafe self.pointer = pointer
        self.isServer = isServer
        offer = ProtocolOffer(protocols)
        unsafe COpenSSL_require_tls_1_2(pointer)
        unsafe COpenSSL_set_modes(pointer)
        unsafe COpenSSL_never_ask(pointer)
    }

    deinit { unsafe SSL_CTX_free(pointer) }

    /// Makes the context of connections to servers, whose certificates are always verified.
    ///
    /// - Parameters:
    ///   - authorityFile: a PEM file of authorities to trust besides the system's.
    ///   - identity: shown to servers that ask who the client is.
    ///   - protocols: what ALPN offers, the preferred one first; none: it is not used.
    /// - Throws: `SecurityContextError`, which names the file that cannot be used.
    package convenience init(
        trustingSystemAnd authorityFile: String?,
        showing identity: (certificateFile: String, keyFile: String)? = nil,
        protocols: [String]
    ) throws(SecurityContextError) {
        try self.init(isServer: false, protocols: protocols)
        unsafe SSL_CTX_set_verify(pointer, SSL_VERIFY_PEER, nil)
        unsafe SSL_CTX_set_default_verify_paths(pointer)
        let outcome = unsafe offer.bytes.withUnsafeBufferPointer {
            unsafe SSL_CTX_set_alpn_protos(pointer, $0.baseAddress, UInt32($0.count))
        }
        guard outcome == 0 else { throw .outOfMemory }
        if let identity { try show(identity.certificateFile, identity.keyFile) }
        guard let authorityFile else { return }
        guard unsafe SSL_CTX_load_verify_locations(pointer, authorityFile, nil) == 1 else {
            throw .authorityFile(authorityFile, reason: Self.reason())
        }
    }

    /// Makes the context of accepted connections.
    ///
    /// - Parameters:
    ///   - certificateFile: the certificate and its chain, PEM.
    ///   - keyFile: its key, PEM, without a password.
    ///   - protocols: what ALPN may choose, the preferred one first. A client that offers others
    ///     alone is refused.
    /// - Throws: `SecurityContextError`, which names the file.
    package convenience init(
        certificateFile: String,
        keyFile: String,
        protocols: [String]
    ) throws(SecurityContextError) {
        try self.init(isServer: true, protocols: protocols)
        unsafe SSL_CTX_set_num_tickets(pointer, 0)
        // Sessions hold this object, so that it outlives every handshake.
        let me = unsafe Unmanaged.passUnretained(self).toOpaque()
        unsafe SSL_CTX_set_alpn_select_cb(pointer, Self.chooseProtocol, me)
        try show(certificateFile, keyFile)
    }

    private func show(
        _ certificateFile: String,
        _ keyFile: String
    ) throws(SecurityContextError) {
        guard unsafe SSL_CTX_use_certificate_chain_file(pointer, certificateFile) == 1 else {
            throw .certificateFile(certificateFile, reason: Self.reason())
        }
        guard unsafe SSL_CTX_use_PrivateKey_file(pointer, keyFile, SSL_FILETYPE_PEM) == 1 else {
            let error = ERR_peek_error()
            let isMismatch = ERR_GET_REASON(error) == X509_R_KEY_VALUES_MISMATCH
            let reason = Self.reason()
            throw isMismatch
                ? .keyMismatch(certificateFile: certificateFile, keyFile: keyFile)
                : .keyFile(keyFile, reason: reason)
        }
    }

    private static let chooseProtocol: SSL_CTX_alpn_select_cb_func = {
        _,
        chosen,
        length,
        offered,
        offeredCount,
        context in
        guard let context = unsafe context, let offered = unsafe offered else {
            return SSL_TLSEXT_ERR_ALERT_FATAL
        }
        let me = unsafe Unmanaged<SecurityContext>.fromOpaque(context).takeUnretainedValue()
        let other = unsafe Span(_unsafeStart: offered, count: Int(offeredCount))
        guard let choice = me.offer.choice(from: other) else { return SSL_TLSEXT_ERR_ALERT_FATAL }
        unsafe chosen?.pointee = unsafe offered + choice.lowerBound
        unsafe length?.pointee = UInt8(choice.count)
        return SSL_TLSEXT_ERR_OK
    }

    /// The first error that OpenSSL noted on this thread, in its words.
    private static func reason() -> String {
        let error = ERR_peek_error()
        ERR_clear_error()
        let reason = unsafe COpenSSL_reason(error).map { unsafe String(cString: $0) }
        return reason ?? "unknown error"
    }
}
