import COpenSSL
import Testing
import TransportSecurity

/// What a client may negotiate, and what it may not.
struct HandshakeTests {
    private let folder: CertificateFolder
    private let context: SecurityContext

    init() throws {
        folder = try CertificateFolder()
        context = try SecurityContext(
            showing: [folder.certificate("a", for: ["DNS:a.example"])],
            protocols: ["http/1.1"]
        )
    }

    private func meeting(
        _ other: SecurityContext? = nil,
        upTo version: Int32,
        ciphers: String? = nil
    ) throws -> Meeting {
        let meeting = try Meeting(
            other ?? context,
            prepareContext: { client in
                client.allow(upTo: version)
                if let ciphers { #expect(client.offer(ciphers: ciphers)) }
            }
        )
        meeting.shakeHands()
        return meeting
    }

    @Test func `TLS 1_3 is spoken, with AES where the client has no preference`() throws {
        let meeting = try meeting(upTo: TLS1_3_VERSION)
        #expect(meeting.serverHandshake == .done)
        #expect(meeting.version == "TLSv1.3")
        #expect(meeting.cipher == "TLS_AES_256_GCM_SHA384")
    }

    @Test func `TLS 1_2 is spoken with AEAD and forward secrecy`() throws {
        let meeting = try meeting(upTo: TLS1_2_VERSION)
        #expect(meeting.serverHandshake == .done)
        #expect(meeting.version == "TLSv1.2")
        #expect(meeting.cipher == "ECDHE-ECDSA-AES256-GCM-SHA384")
    }

    @Test func `a client that puts ChaCha20 first gets it`() throws {
        let meeting = try meeting(
            upTo: TLS1_2_VERSION,
            ciphers: "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-ECDSA-AES256-GCM-SHA384"
        )
        #expect(meeting.cipher == "ECDHE-ECDSA-CHACHA20-POLY1305")
    }

    @Test(arguments: [TLS1_VERSION, TLS1_1_VERSION])
    func `older versions are refused`(version: Int32) throws {
        let meeting = try meeting(upTo: version, ciphers: "ALL:@SECLEVEL=0")
        guard case .failed = meeting.serverHandshake else {
            Issue.record("\(meeting.serverHandshake), \(meeting.version)")
            return
        }
        #expect(meeting.clientHandshake != 1)
    }

    @Test(arguments: [
        "ECDHE-ECDSA-AES128-SHA", "ECDHE-ECDSA-AES256-SHA384", "AES128-GCM-SHA256",
        "DHE-RSA-AES128-GCM-SHA256", "aNULL:@SECLEVEL=0",
    ])
    func `ciphers without AEAD or forward secrecy are refused`(ciphers: String) throws {
        // A certificate of either kind, so that none is refused for want of one.
        let context = try SecurityContext(
            showing: [
                folder.certificate("ecdsa", for: ["DNS:a.example"]),
                folder.certificateRSA("rsa", for: "DNS:a.example"),
            ],
            protocols: []
        )
        let meeting = try meeting(context, upTo: TLS1_2_VERSION, ciphers: ciphers)
        guard case .failed = meeting.serverHandshake else {
            Issue.record("\(meeting.serverHandshake), \(meeting.cipher)")
            return
        }
    }

    @Test func `renegotiation is refused, and the connection goes on`() throws {
        let meeting = try meeting(upTo: TLS1_2_VERSION)
        #expect(unsafe SSL_renegotiate(meeting.client) == 1)
        #expect(unsafe SSL_do_handshake(meeting.client) != 1)
        let answer = meeting.receive()
        #expect(answer.result == .wouldBlock)
        #expect(meeting.send([1]) == .wrote(1))
        // The refusal is an alert, which OpenSSL's client takes for the end of its attempt.
        #expect(unsafe SSL_do_handshake(meeting.client) != 1)
        let error = ERR_peek_error()
        #expect(ERR_GET_REASON(error) == SSL_R_NO_RENEGOTIATION)
        ERR_clear_error()
    }

    @Test func `a flood of key updates ends the connection`() throws {
        let meeting = try meeting(upTo: TLS1_3_VERSION)
        for _ in 0..<33 {
            #expect(
                unsafe SSL_key_update(meeting.client, SSL_KEY_UPDATE_NOT_REQUESTED) == 1
                    && SSL_do_handshake(meeting.client) == 1
            )
        }
        #expect(
            meeting.receive().result == .failed(.failed("too many records without data"))
        )
    }

    @Test func `key updates among data are answered`() throws {
        let meeting = try meeting(upTo: TLS1_3_VERSION)
        for round in UInt8(0)..<100 {
            #expect(
                unsafe SSL_key_update(meeting.client, SSL_KEY_UPDATE_REQUESTED) == 1
                    && SSL_do_handshake(meeting.client) == 1
            )
            meeting.clientSends([round])
            #expect(meeting.receive().bytes == [round])
            #expect(meeting.send([round, round]) == .wrote(2))
            #expect(meeting.clientReceives() == [round, round])
        }
    }

    @Test func `a key that encrypted enough records is replaced`() throws {
        let meeting = try meeting(upTo: TLS1_3_VERSION)
        meeting.setRecordsPerKey(4)
        let updates = unsafe KeyUpdateCounter(meeting.client)
        for round in UInt8(0)..<9 {
            #expect(meeting.send([round]) == .wrote(1))
            #expect(meeting.clientReceives() == [round])
        }
        #expect(updates.count == 2)
    }

    @Test func `in TLS 1_2, which has no key updates, the key stays`() throws {
        let meeting = try meeting(upTo: TLS1_2_VERSION)
        meeting.setRecordsPerKey(2)
        for round in UInt8(0)..<9 {
            #expect(meeting.send([round]) == .wrote(1))
            #expect(meeting.clientReceives() == [round])
        }
    }

    @Test func `one write is one record`() throws {
        let meeting = try meeting(upTo: TLS1_3_VERSION)
        for byteCount in [16_384, 1, 512, 513, 300, 16_384, 512] {
            let text = [UInt8](repeating: 7, count: byteCount)
            #expect(meeting.send(text) == .wrote(byteCount))
            #expect(meeting.clientReceives().count == byteCount)
        }
    }
}

extension HandshakeTests {
    @Test(arguments: [TLS1_2_VERSION, TLS1_3_VERSION])
    func `a client that wants short records and reads late gets every byte`(
        version: Int32
    ) throws {
        let meeting = try Meeting(
            context,
            prepareContext: { $0.allow(upTo: version) },
            prepare: { $0.limitRecords(UInt8(TLSEXT_max_fragment_length_512)) }
        )
        meeting.shakeHands()
        #expect(meeting.serverHandshake == .done)
        let text = (0..<200_000).map { UInt8(truncatingIfNeeded: $0 / 7) }
        var sent = 0
        var received: [UInt8] = []
        while received.count < text.count {
            let offer = Array(text[sent..<min(sent + 40_000, text.count)])
            guard case .wrote(let count) = meeting.send(offer) else {
                Issue.record("cut after \(sent) bytes")
                return
            }
            sent += count
            for _ in 0..<3 where received.count < text.count {
                let bytes = meeting.clientReceives()
                #expect((1...512).contains(bytes.count))
                guard !bytes.isEmpty else { return }
                received += bytes
            }
        }
        #expect(received == text)
    }

    @Test(arguments: [TLS1_2_VERSION, TLS1_3_VERSION])
    func `a short write and what the client answers leave room for a long one`(
        version: Int32
    ) throws {
        let meeting = try meeting(upTo: version)
        #expect(meeting.send([1]) == .wrote(1))
        #expect(meeting.clientReceives() == [1])
        if version == TLS1_3_VERSION {
            #expect(unsafe SSL_key_update(meeting.client, SSL_KEY_UPDATE_NOT_REQUESTED) == 1)
        }
        meeting.clientSends([2])
        #expect(meeting.receive().bytes == [2])
        let text = [UInt8](repeating: 7, count: 16_384)
        #expect(meeting.send(text) == .wrote(16_384))
        #expect(meeting.clientReceives() == text)
    }
}

/// Counts the key updates that a client receives.
private final class KeyUpdateCounter {
    private(set) var count = 0

    init(_ client: OpaquePointer) {
        unsafe SSL_set_msg_callback(client) { isWrite, _, kind, bytes, _, _, counter in
            let isHandshake = kind == SSL3_RT_HANDSHAKE && isWrite == 0
            guard isHandshake, let bytes = unsafe bytes, let counter = unsafe counter else {
                return
            }
            let message = unsafe bytes.load(as: UInt8.self)
            guard message == UInt8(SSL3_MT_KEY_UPDATE) else { return }
            unsafe Unmanaged<KeyUpdateCounter>.fromOpaque(counter).takeUnretainedValue().count += 1
        }
        let me = unsafe Unmanaged.passUnretained(self).toOpaque()
        unsafe SSL_ctrl(client, SSL_CTRL_SET_MSG_CALLBACK_ARG, 0, me)
    }
}
