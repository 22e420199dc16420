import COpenSSL
import StreamBytes
import Testing
import TransportSecurity

/// Which certificates are taken, and which one a client is shown.
struct CertificateTests {
    private let folder: CertificateFolder

    init() throws { folder = try CertificateFolder() }

    private func context(_ files: [KeyPairFiles]) throws -> SecurityContext {
        try SecurityContext(showing: files, protocols: ["http/1.1"])
    }

    /// Which of the files' certificates a client is shown that asks for `name`.
    private func shown(
        _ context: SecurityContext,
        to name: String?,
        prepareContext: (ClientContext) -> Void = { _ in }
    ) throws -> Int? {
        let meeting = try Meeting(context, prepareContext: prepareContext) { client in
            if let name { unsafe #expect(COpenSSL_set_server_name(client.pointer, name) == 1) }
        }
        meeting.shakeHands()
        #expect(meeting.serverHandshake == .done)
        let fingerprint = try #require(meeting.shown)
        return context.certificates.firstIndex { $0.fingerprint == fingerprint }
    }

    @Test func `the host name chooses, and the first is for all others`() throws {
        let context = try context([
            folder.certificate("a", for: ["DNS:a.example", "IP:127.0.0.1"]),
            folder.certificate("b", for: ["DNS:*.b.example", "DNS:b.example"]),
            folder.certificate("c", for: ["DNS:c.example"]),
        ])

        #expect(try shown(context, to: "a.example") == 0)
        #expect(try shown(context, to: "b.example") == 1)
        #expect(try shown(context, to: "WWW.b.example") == 1)
        #expect(try shown(context, to: "c.example") == 2)
        #expect(try shown(context, to: "d.example") == 0)
        #expect(try shown(context, to: nil) == 0)
    }

    @Test func `of two kinds of key for the same names the client has its choice`() throws {
        let context = try context([
            folder.certificateRSA("rsa", for: "DNS:a.example"),
            folder.certificate("ecdsa", for: ["DNS:a.example"]),
        ])
        func shown(verifying algorithms: String) throws -> Int? {
            try self.shown(context, to: "a.example") { client in
                #expect(client.verify(with: algorithms))
            }
        }

        #expect(try shown(verifying: "RSA-PSS+SHA256:RSA+SHA256") == 0)
        #expect(try shown(verifying: "ECDSA+SHA256") == 1)
    }

    @Test func `what a certificate says is known`() throws {
        let from = WallTime(milliseconds: 1_700_000_000_000)
        let until = WallTime(milliseconds: 1_800_000_000_000)
        let files = try folder.certificate(
            "a",
            for: ["DNS:A.example", "DNS:*.b.example", "IP:127.0.0.1"],
            from: from,
            until: until
        )
        let summary = try #require(try context([files]).certificates.first)

        #expect(summary.file == files.certificateFile)
        #expect(summary.names == ["a.example", "*.b.example"])
        #expect(summary.validFrom == from)
        #expect(summary.validUntil == until)
        #expect(summary.fingerprint.count == 32)
        try summary.checkValidity(at: from)
        #expect(
            throws: SecurityContextError.expired(certificateFile: summary.file, at: until)
        ) {
            try summary.checkValidity(at: until)
        }
        let early = SecurityContextError.notYetValid(certificateFile: summary.file, until: from)
        #expect(throws: early) { try summary.checkValidity(at: from.adding(seconds: -1)) }
        #expect(
            early.description
                == "the certificate in \(summary.file) is not valid before "
                + "2023-11-14T22:13:20.000Z"
        )
    }

    @Test func `a certificate that would never be shown is refused`() throws {
        let first = try folder.certificate("a", for: ["DNS:a.example", "DNS:b.example"])
        let again = try folder.certificate("b", for: ["DNS:b.example", "DNS:a.example"])
        let nameless = try folder.certificate("c", for: ["IP:127.0.0.1"])

        #expect(
            throws: SecurityContextError.repeated(
                certificateFile: again.certificateFile,
                first: first.certificateFile
            )
        ) { _ = try context([first, again]) }
        #expect(
            throws: SecurityContextError.nameless(certificateFile: nameless.certificateFile)
        ) { _ = try context([first, nameless]) }
        #expect(try context([nameless, first]).certificates.count == 2)
    }

    @Test func `a key too weak for today is refused by name`() throws {
        let files = try folder.certificateRSA("rsa", for: "DNS:a.example", bits: 1_024)
        let error = #expect(throws: SecurityContextError.self) { _ = try context([files]) }
        #expect(
            error?.description
                == "cannot read the certificate in \(files.certificateFile): ee key too small"
        )
    }
}
