import COpenSSL

/// What all TLS connections of one kind share: versions, trust, certificates.
package final class SecurityContext: Sendable {
    let isServer: Bool
    private let offer: ProtocolOffer
    /// The first is what every connection starts with.
    private let handles: [ContextHandle]
    private let identity: ServerIdentity?

    private init(
        isServer: Bool,
        offer: ProtocolOffer,
        handles: [ContextHandle],
        identity: ServerIdentity? = nil
    ) {
        self.isServer = isServer
        self.offer = offer
        self.handles = handles
        self.identity = identity
    }

    var pointer: OpaquePointer { unsafe handles[0].pointer }
}

// MARK: - Clients

extension SecurityContext {
    /// Makes the context of connections to servers, whose certificates are always verified.
    ///
    /// - Parameters:
    ///   - authorityFile: a PEM file of authorities to trust besides the system's.
    ///   - identity: shown to servers that ask who the client is.
    ///   - protocols: what ALPN offers, the preferred one first; none: it is not used.
    /// - Throws: `SecurityContextError`, which names the file that cannot be used.
    package convenience init(
        trustingSystemAnd authorityFile: String?,
        showing identity: KeyPairFiles? = nil,
        protocols: [String]
    ) throws(SecurityContextError) {
        let handle = try ContextHandle(isServer: false)
        let offer = ProtocolOffer(protocols)
        unsafe SSL_CTX_set_verify(handle.pointer, SSL_VERIFY_PEER, nil)
        unsafe SSL_CTX_set_default_verify_paths(handle.pointer)
        let outcome = unsafe offer.bytes.withUnsafeBufferPointer {
            unsafe SSL_CTX_set_alpn_protos(handle.pointer, $0.baseAddress, UInt32($0.count))
        }
        guard outcome == 0 else { throw .outOfMemory }
        if let identity { try CertifiedKey(identity).add(to: handle) }
        if let file = authorityFile {
            guard unsafe SSL_CTX_load_verify_locations(handle.pointer, file, nil) == 1 else {
                throw .authorityFile(file, reason: ContextHandle.reason())
            }
        }
        self.init(isServer: false, offer: offer, handles: [handle])
    }
}

// MARK: - Servers

extension SecurityContext {
    /// Makes the context of accepted connections.
    ///
    /// - Parameters:
    ///   - files: the certificates and keys. The first is shown to clients that name no host, or
    ///     one that no certificate is for; certificates for the same names have different kinds of
    ///     key, of which the client chooses.
    ///   - protocols: what ALPN may choose, the preferred one first. A client that offers others
    ///     alone is refused.
    /// - Throws: `SecurityContextError`, which names the file.
    package convenience init(
        showing files: [KeyPairFiles],
        protocols: [String]
    ) throws(SecurityContextError) {
        var certificates: [CertifiedKey] = []
        for pair in files { certificates.append(try CertifiedKey(pair)) }
        try self.init(ServerIdentity(certificates, TicketKeys()), ProtocolOffer(protocols))
    }

    private convenience init(
        _ identity: ServerIdentity,
        _ offer: ProtocolOffer
    ) throws(SecurityContextError) {
        var handles: [ContextHandle] = []
        for group in identity.groups { handles.append(try Self.handle(for: group)) }
        self.init(isServer: true, offer: offer, handles: handles, identity: identity)
        // Sessions hold this object, so that it outlives every handshake.
        let me = unsafe Unmanaged.passUnretained(self).toOpaque()
        for handle in handles {
            unsafe COpenSSL_set_owner(handle.pointer, me)
            unsafe SSL_CTX_set_alpn_select_cb(handle.pointer, Self.chooseProtocol, me)
            unsafe SSL_CTX_set_tlsext_ticket_key_evp_cb(handle.pointer, Self.findTicketKey)
        }
        unsafe COpenSSL_set_server_name_callback(pointer, Self.chooseCertificate, me)
    }

    private static func handle(
        for group: [CertifiedKey]
    ) throws(SecurityContextError) -> ContextHandle {
        let handle = try ContextHandle(isServer: true)
        guard unsafe COpenSSL_accept_modern_ciphers(handle.pointer) == 1 else { throw .outOfMemory }
        unsafe COpenSSL_wipe_requests(handle.pointer)
        unsafe SSL_CTX_set_num_tickets(handle.pointer, ticketCount)
        unsafe SSL_CTX_set_timeout(handle.pointer, ticketSeconds)
        for certificate in group { try certificate.add(to: handle) }
        return handle
    }

    /// One is enough for a client that comes back; each costs a record in every handshake.
    private static let ticketCount = 1
    /// How long a client may come back with a ticket.
    private static let ticketSeconds = 3_600

    /// What it shows, in the order of the files.
    package var certificates: [CertificateSummary] {
        identity?.certificates.map(\.summary) ?? []
    }

    /// Returns a context that shows the same certificates and seals tickets with another key; it
    /// opens this one's tickets, but not older ones.
    package func renewingTicketKeys() throws(SecurityContextError) -> SecurityContext {
        guard let identity else { return self }
        let renewed = try ServerIdentity(identity.certificates, identity.tickets.rotated())
        return try SecurityContext(renewed, offer)
    }
}

// MARK: - What OpenSSL asks during a handshake

extension SecurityContext {
    private static func owner(_ pointer: UnsafeMutableRawPointer?) -> SecurityContext? {
        guard let pointer = unsafe pointer else { return nil }
        return unsafe Unmanaged<SecurityContext>.fromOpaque(pointer).takeUnretainedValue()
    }

    private static let chooseProtocol: SSL_CTX_alpn_select_cb_func = {
        _,
        chosen,
        length,
        offered,
        offeredCount,
        argument in
        guard let me = unsafe owner(argument), let offered = unsafe offered else {
            return SSL_TLSEXT_ERR_ALERT_FATAL
        }
        let other = unsafe Span(_unsafeStart: offered, count: Int(offeredCount))
        guard let choice = me.offer.choice(from: other) else { return SSL_TLSEXT_ERR_ALERT_FATAL }
        unsafe chosen?.pointee = unsafe offered + choice.lowerBound
        unsafe length?.pointee = UInt8(choice.count)
        return SSL_TLSEXT_ERR_OK
    }

    private static let chooseCertificate: COpenSSL_server_name_callback = { session, _, argument in
        guard let me = unsafe owner(argument),
            let name = unsafe SSL_get_servername(session, TLSEXT_NAMETYPE_host_name)
        else { return SSL_TLSEXT_ERR_NOACK }
        guard let place = unsafe me.identity?.names.place(of: String(cString: name)) else {
            return SSL_TLSEXT_ERR_NOACK
        }
        guard place > 0 else { return SSL_TLSEXT_ERR_OK }
        let isTaken = unsafe SSL_set_SSL_CTX(session, me.handles[place].pointer) != nil
        return isTaken ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_ALERT_FATAL
    }

    /// 1: sealed or opened; 0: an unknown ticket, so that a full handshake follows; -1: failed.
    private static let findTicketKey: COpenSSL_ticket_callback = {
        session,
        name,
        vector,
        cipher,
        mac,
        seals in
        guard let session = unsafe session, let name = unsafe name, let vector = unsafe vector,
            let tickets = unsafe owner(COpenSSL_owner(session))?.identity?.tickets
        else { return -1 }
        guard seals == 1 else {
            guard let key = unsafe tickets.opening(name) else { return 0 }
            return unsafe key.begin(cipher, mac, vector, seals: false) ? 1 : -1
        }
        guard unsafe RAND_bytes(vector, 16) == 1 else { return -1 }
        unsafe tickets.sealing.writeName(to: name)
        return unsafe tickets.sealing.begin(cipher, mac, vector, seals: true) ? 1 : -1
    }
}
