import COpenSSL
import Glibc
import StreamBytes
import TestSupport
import Testing
import TransportSecurity

/// Certificates in files, made without any program.
final class CertificateFolder {
    private let folder: ScratchFolder

    init() throws { folder = try ScratchFolder() }

    func path(_ name: String) -> String { folder.path(name) }

    /// Makes an ECDSA certificate that is valid for an hour around now.
    func certificate(_ name: String, for names: [String]) throws -> KeyPairFiles {
        let now = WallTime.now
        return try certificate(
            name,
            for: names,
            from: now.adding(seconds: -3_600),
            until: now.adding(seconds: 3_600)
        )
    }

    func certificate(
        _ name: String,
        for names: [String],
        from validFrom: WallTime,
        until validUntil: WallTime
    ) throws -> KeyPairFiles {
        let made = try SelfSignedCertificate(
            for: names,
            validFrom: validFrom,
            validUntil: validUntil
        )
        return KeyPairFiles(
            certificateFile: try folder.write("\(name).pem", made.certificate),
            keyFile: try folder.write("\(name).key", made.key)
        )
    }

    /// Makes one with an RSA key, by the `openssl` command.
    func certificateRSA(
        _ name: String,
        for names: String,
        bits: Int = 2_048
    ) throws -> KeyPairFiles {
        let files = KeyPairFiles(
            certificateFile: path("\(name).pem"),
            keyFile: path("\(name).key")
        )
        let run = try ProgramRun(
            "openssl",
            [
                "req", "-x509", "-newkey", "rsa:\(bits)", "-nodes", "-days", "1", "-subj",
                "/CN=rsa",
                "-addext", "subjectAltName=\(names)", "-keyout", files.keyFile,
                "-out", files.certificateFile,
            ]
        )
        guard run.status == 0 else { throw Failure(text: run.errors) }
        return files
    }

    struct Failure: Error { let text: String }
}

extension WallTime {
    static var now: WallTime { WallTime(milliseconds: Int64(time(nil)) * 1_000) }

    func adding(seconds: Int64) -> WallTime {
        WallTime(milliseconds: milliseconds + seconds * 1_000)
    }
}

/// Two connected sockets that do not block.
final class SocketPair {
    let server: Int32
    let client: Int32

    init() {
        var pair: [Int32] = [-1, -1]
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        let outcome = unsafe socketpair(AF_UNIX, kind, 0, &pair)
        precondition(outcome == 0, "no descriptors")
        server = pair[0]
        client = pair[1]
    }

    deinit {
        close(server)
        close(client)
    }
}

/// A client's context of OpenSSL, to be set up.
@safe
struct ClientContext {
    let pointer: OpaquePointer

    /// Allows everything up to a version.
    func allow(upTo version: Int32) {
        unsafe SSL_CTX_set_security_level(pointer, 0)
        unsafe SSL_CTX_ctrl(pointer, SSL_CTRL_SET_MIN_PROTO_VERSION, Int(TLS1_VERSION), nil)
        unsafe SSL_CTX_ctrl(pointer, SSL_CTRL_SET_MAX_PROTO_VERSION, Int(version), nil)
    }

    /// Whether OpenSSL knows the ciphers of TLS 1.2.
    func offer(ciphers: String) -> Bool { unsafe SSL_CTX_set_cipher_list(pointer, ciphers) == 1 }

    /// Whether OpenSSL knows the algorithms of signatures.
    func verify(with algorithms: String) -> Bool {
        unsafe algorithms.withCString {
            unsafe SSL_CTX_ctrl(
                pointer,
                SSL_CTRL_SET_SIGALGS_LIST,
                0,
                UnsafeMutableRawPointer(mutating: $0)
            ) == 1
        }
    }
}

/// A client of OpenSSL, before its handshake.
@safe
struct ClientSession {
    let pointer: OpaquePointer

    /// Asks the server for short records (RFC 6066, section 4).
    func limitRecords(_ code: UInt8) {
        #expect(unsafe SSL_set_tlsext_max_fragment_length(pointer, code) == 1)
    }
}

/// Weir's server on one side and a client on the other that uses OpenSSL as it likes.
@safe
final class Meeting {
    private let pair = SocketPair()
    private let context: OpaquePointer
    let client: OpaquePointer
    private var server: SecuritySession
    private var buffer = [UInt8](repeating: 0, count: 65_536)
    private(set) var serverHandshake = SecurityProgress.wouldBlock
    private(set) var clientHandshake: Int32 = -1

    /// - Parameters:
    ///   - security: the server's.
    ///   - prepareContext: sets the client's context up.
    ///   - prepare: sets the client up.
    /// - Throws: when memory lacks.
    init(
        _ security: SecurityContext,
        prepareContext: (ClientContext) -> Void = { _ in },
        prepare: (ClientSession) -> Void = { _ in }
    ) throws {
        server = try SecuritySession(security, acceptedOn: pair.server)
        guard let context = unsafe SSL_CTX_new(TLS_client_method()) else {
            throw CertificateFolder.Failure(text: "no memory")
        }
        unsafe self.context = context
        unsafe prepareContext(ClientContext(pointer: context))
        guard let client = unsafe SSL_new(context) else {
            throw CertificateFolder.Failure(text: "no memory")
        }
        unsafe self.client = client
        unsafe SSL_set_fd(client, pair.client)
        unsafe SSL_set_connect_state(client)
        unsafe prepare(ClientSession(pointer: client))
    }

    deinit {
        unsafe SSL_free(client)
        unsafe SSL_CTX_free(context)
    }

    /// Lets both go on with the handshake until neither can.
    func shakeHands() {
        for _ in 0..<8 {
            if clientHandshake != 1 { clientHandshake = unsafe SSL_do_handshake(client) }
            if serverHandshake == .wouldBlock { serverHandshake = server.handshake() }
        }
        ERR_clear_error()
    }

    /// Reads on the server's side.
    func receive() -> (result: SecurityRead, bytes: [UInt8]) {
        let result = server.read(into: &buffer, from: 0)
        guard case .bytes(let count) = result else { return (result, []) }
        return (result, Array(buffer[..<count]))
    }

    /// Writes on the server's side.
    func send(_ bytes: [UInt8]) -> SecurityWrite { server.write(bytes.span) }

    func setRecordsPerKey(_ count: Int32) { server.recordsPerKey = count }

    /// Writes on the client's side; what OpenSSL answers.
    @discardableResult
    func clientSends(_ bytes: [UInt8]) -> Int32 {
        unsafe bytes.withUnsafeBytes { unsafe SSL_write(client, $0.baseAddress, Int32($0.count)) }
    }

    /// Reads on the client's side.
    func clientReceives() -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: 65_536)
        let count = unsafe bytes.withUnsafeMutableBytes {
            unsafe SSL_read(client, $0.baseAddress, Int32($0.count))
        }
        ERR_clear_error()
        return Array(bytes.prefix(max(0, Int(count))))
    }

    /// The SHA-256 of the certificate that the client was shown.
    var shown: [UInt8]? {
        guard let certificate = unsafe SSL_get1_peer_certificate(client) else { return nil }
        defer { unsafe X509_free(certificate) }
        var digest = [UInt8](repeating: 0, count: 64)
        var count: UInt32 = 0
        unsafe digest.withUnsafeMutableBufferPointer {
            _ = unsafe X509_digest(certificate, EVP_sha256(), $0.baseAddress, &count)
        }
        return Array(digest.prefix(Int(count)))
    }

    var version: String { unsafe String(cString: SSL_get_version(client)) }

    var cipher: String {
        unsafe String(cString: SSL_CIPHER_get_name(SSL_get_current_cipher(client)))
    }
}
