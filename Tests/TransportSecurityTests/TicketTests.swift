import COpenSSL
import Testing
import TransportSecurity

/// Coming back without a whole handshake.
struct TicketTests {
    private let files: KeyPairFiles
    private let folder: CertificateFolder

    init() throws {
        folder = try CertificateFolder()
        files = try folder.certificate("a", for: ["DNS:a.example"])
    }

    private func context() throws -> SecurityContext {
        try SecurityContext(showing: [files], protocols: ["http/1.1"])
    }

    /// Meets `context` for the first time and keeps the session.
    private func session(
        with context: SecurityContext,
        upTo version: Int32 = TLS1_3_VERSION
    ) throws -> Session {
        let meeting = try Meeting(context, prepareContext: { $0.allow(upTo: version) })
        meeting.shakeHands()
        // What TLS 1.3 sends behind the handshake is read with the first bytes.
        #expect(meeting.send([1]) == .wrote(1))
        #expect(meeting.clientReceives() == [1])
        return try Session(of: meeting)
    }

    /// Whether a client with the session is spared the whole handshake.
    private func isSpared(
        _ session: Session,
        by context: SecurityContext,
        upTo version: Int32 = TLS1_3_VERSION
    ) throws -> Bool {
        let meeting = try Meeting(
            context,
            prepareContext: { $0.allow(upTo: version) },
            prepare: { unsafe #expect(SSL_set_session($0.pointer, session.pointer) == 1) }
        )
        meeting.shakeHands()
        #expect(meeting.serverHandshake == .done)
        return unsafe SSL_session_reused(meeting.client) == 1
    }

    @Test(arguments: [TLS1_2_VERSION, TLS1_3_VERSION])
    func `a client that comes back is spared the whole handshake`(version: Int32) throws {
        let context = try context()
        let session = try session(with: context, upTo: version)
        #expect(try isSpared(session, by: context, upTo: version))
    }

    @Test func `a ticket outlives one change of keys, not two`() throws {
        let first = try context()
        let session = try session(with: first)
        let second = try first.renewingTicketKeys()
        #expect(try isSpared(session, by: second))
        #expect(try !isSpared(session, by: second.renewingTicketKeys()))
    }

    @Test func `another server's ticket means a whole handshake`() throws {
        let session = try session(with: context())
        #expect(try !isSpared(session, by: context()))
    }

    @Test func `no ticket allows early data`() throws {
        let session = try session(with: context())
        #expect(unsafe SSL_SESSION_get_max_early_data(session.pointer) == 0)
        #expect(unsafe SSL_SESSION_get_ticket_lifetime_hint(session.pointer) == 3_600)
    }
}

/// A session that a client keeps.
@safe
private final class Session {
    let pointer: OpaquePointer

    init(of meeting: Meeting) throws {
        guard let pointer = unsafe SSL_get1_session(meeting.client) else {
            throw CertificateFolder.Failure(text: "no session")
        }
        unsafe self.pointer = pointer
        // Else OpenSSL holds that the connection was cut, and the session of no use.
        unsafe SSL_set_shutdown(meeting.client, SSL_SENT_SHUTDOWN | SSL_RECEIVED_SHUTDOWN)
    }

    deinit { unsafe SSL_SESSION_free(pointer) }
}
