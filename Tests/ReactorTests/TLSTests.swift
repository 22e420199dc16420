import Glibc
import Reactor
import StreamBytes
import TestSupport
import Testing
import TransportSecurity

/// Takes accepted connections into TLS as the server.
final class SecureAcceptor: ConnectionAcceptor {
    private let security: ServerSecurity
    private let echoes: Bool
    private let accepted = Guarded<[Side]>([])

    init(_ security: ServerSecurity, echoes: Bool = true) {
        self.security = security
        self.echoes = echoes
    }

    var sides: [Side] { accepted.withLock { $0 } }

    func accept(_ socket: consuming PassedSocket, on executor: any StreamExecutor) {
        let side = Side(on: executor, echoes: echoes, trustsShortReads: true)
        side.take(executor.adopt(socket, security: security, handler: side))
        accepted.withLock { $0.append(side) }
    }

    func closeAll() async { for side in sides { await side.close() } }
}

struct TLSTests {
    /// Makes certificates and runs `body` with a TLS server for the one named.
    private func withServer(
        _ certificate: String = "good",
        echoes: Bool = true,
        _ body: (
            _ group: ReactorGroup, _ address: SocketAddress, _ server: SecureAcceptor,
            _ folder: String
        )
            async throws -> Void
    ) async throws {
        try await withTemporaryFolder { folder in
            try makeCertificates(in: folder)
            let security = try ServerSecurity(
                certificateFile: "\(folder)/\(certificate).pem",
                keyFile: "\(folder)/\(certificate).key"
            )
            try await withReactors(2) { group in
                let acceptor = SecureAcceptor(security, echoes: echoes)
                let bound = try group.listen(on: anyPort, acceptor: acceptor)
                try await body(group, bound, acceptor, folder)
                await acceptor.closeAll()
            }
        }
    }

    private func makeCertificates(in folder: String) throws {
        let script = """
            set -e; cd \(folder)
            req() { openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes \
            -keyout $1.key -out $1.pem -subj /CN=$1 "${@:2}" 2>/dev/null; }
            req good -days 2 -addext 'subjectAltName=DNS:good.example,IP:127.0.0.1'
            req other -days 2 -addext 'subjectAltName=DNS:other.example'
            openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes \
            -keyout expired.key -out expired.csr -subj /CN=expired \
            -addext 'subjectAltName=DNS:good.example' 2>/dev/null
            openssl x509 -req -in expired.csr -signkey expired.key -days -1 \
            -copy_extensions copy -out expired.pem 2>/dev/null
            """
        #expect(run(["/bin/bash", "-c", script]) == 0)
    }

    private func run(_ arguments: [String]) -> Int32 {
        var pointers: [UnsafeMutablePointer<CChar>?] = unsafe arguments.map { unsafe strdup($0) }
        unsafe pointers.append(nil)
        var child: pid_t = 0
        let outcome = unsafe posix_spawn(&child, arguments[0], nil, nil, pointers, environ)
        for position in arguments.indices { unsafe free(pointers[position]) }
        guard outcome == 0 else { return outcome }
        var status: Int32 = 0
        unsafe waitpid(child, &status, 0)
        return status
    }

    private func failure(
        of certificate: String,
        serverName: String,
        trusting authority: String?
    ) async throws -> SocketError? {
        var found: SocketError?
        try await withServer(certificate) { group, address, _, folder in
            let client = Side(on: group.reactors[0])
            let security = ClientSecurity(
                serverName: serverName,
                authorityFile: authority.map { "\(folder)/\($0).pem" }
            )
            await client.connect(to: address, security: security)
            #expect(await eventually { client.seen.readiness.contains(.hasFailed) })
            #expect(!client.seen.readiness.contains(.isWritable))
            if case .failed(let error) = client.seen.end { found = error }
            await client.close()
        }
        return found
    }

    @Test func `bytes pass unchanged both ways, and the end is an orderly one`() async throws {
        try await withServer { group, address, server, folder in
            let payload = (0..<2_000_000).map { UInt8(truncatingIfNeeded: $0 &* 7 ^ $0 >> 8) }
            let client = Side(on: group.reactors[0])
            let security = ClientSecurity(
                serverName: "good.example",
                authorityFile: "\(folder)/good.pem"
            )
            await client.connect(to: address, security: security)
            await client.send(payload)
            #expect(await eventually { client.seen.bytes.count == payload.count })
            #expect(client.seen.bytes == payload)
            await client.with { $0.shutdownSending() }
            #expect(await eventually { server.sides.first?.seen.end == .endOfStream })
            await server.closeAll()
            #expect(await eventually { client.seen.end == .endOfStream })
            await client.close()
        }
    }

    @Test func `a reader that stops makes writes short, and nothing is lost`() async throws {
        try await withServer { group, address, server, folder in
            let client = Side(on: group.reactors[0])
            let security = ClientSecurity(
                serverName: "127.0.0.1",
                authorityFile: "\(folder)/good.pem"
            )
            await client.connect(to: address, security: security)
            #expect(await eventually { client.seen.readiness.contains(.isWritable) })
            await client.pause(true)
            let large = (0..<12_000_000).map { UInt8(truncatingIfNeeded: $0 &* 13 ^ $0 >> 10) }
            let side = try #require(server.sides.first)
            await side.send(large)
            #expect(await eventually { side.seen.sent > 0 })
            #expect(side.seen.sent < large.count)
            await client.pause(false)
            #expect(await eventually { client.seen.bytes.count == large.count })
            #expect(client.seen.bytes == large)
            await client.close()
        }
    }

    @Test func `a connection that ends without closing TLS is no orderly end`() async throws {
        try await withServer { group, address, server, folder in
            let client = Side(on: group.reactors[0])
            let security = ClientSecurity(
                serverName: "good.example",
                authorityFile: "\(folder)/good.pem"
            )
            await client.connect(to: address, security: security)
            #expect(await eventually { client.seen.readiness.contains(.isWritable) })
            let side = try #require(server.sides.first)
            // The client is done with its handshake before the server has its last message.
            #expect(await eventually { side.seen.readiness.contains(.isWritable) })
            await side.with { socket in
                let passed = socket.detach(unread: [])
                close(passed.descriptor)
            }
            let expected = "the peer ended the connection without closing TLS"
            #expect(await eventually { client.seen.end == .failed(.tls(expected)) })
            await client.close()
        }
    }

    @Test func `the end of TLS is told also when it comes with bytes`() async throws {
        try await withServer(echoes: false) { _, address, server, folder in
            let context = try SecurityContext(
                trustingSystemAnd: "\(folder)/good.pem",
                protocols: []
            )
            let descriptor = try connectedSocket(to: address)
            defer { close(descriptor) }
            var client = try SecuritySession(
                context,
                connectingTo: "good.example",
                on: descriptor
            )
            #expect(client.handshake() == .done)
            // Later events of the handshake would bring the end to light.
            #expect(
                await eventually {
                    server.sides.first.map { $0.seen.readiness.contains(.isWritable) } ?? false
                }
            )
            var cork: Int32 = 1
            let size = socklen_t(MemoryLayout<Int32>.size)
            unsafe setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_CORK, &cork, size)
            #expect(client.write(Array("last words".utf8).span) == .wrote(10))
            // The closing message of TLS, and none of TCP.
            client.finishSending()
            cork = 0
            unsafe setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_CORK, &cork, size)

            #expect(await eventually { server.sides.first?.seen.end == .endOfStream })
            #expect(server.sides.first?.seen.bytes == Array("last words".utf8))
        }
    }

    /// A connected socket that blocks.
    private func connectedSocket(to address: SocketAddress) throws -> Int32 {
        guard case .v4(_, let port) = address else { throw SocketError.refused }
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var there = sockaddr_in()
        there.sin_family = sa_family_t(AF_INET)
        there.sin_port = in_port_t(port).bigEndian
        there.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
        let outcome = unsafe withUnsafeBytes(of: &there) {
            unsafe connect(
                descriptor,
                $0.assumingMemoryBound(to: sockaddr.self).baseAddress,
                socklen_t($0.count)
            )
        }
        #expect(outcome == 0)
        return descriptor
    }

    @Test func `a TLS connection moves to another reactor`() async throws {
        try await withServer { group, address, server, folder in
            let client = Side(on: group.reactors[0])
            let security = ClientSecurity(
                serverName: "good.example",
                authorityFile: "\(folder)/good.pem"
            )
            await client.connect(to: address, security: security)
            await client.send(Array("one ".utf8))
            #expect(await eventually { client.seen.bytes.count == 4 })
            let side = try #require(server.sides.first)
            let other = group.reactors[1 - side.executor.index]
            let moved = Side(on: other, echoes: true)
            await side.with { socket in
                let passed = Guarded<PassedSocket?>(socket.detach(unread: []))
                other.perform {
                    let socket = passed.withLock { $0.take() }
                    if let socket { moved.take(other.adopt(socket, handler: moved)) }
                }
            }
            await client.send(Array("two".utf8))
            #expect(await eventually { client.seen.bytes == Array("one two".utf8) })
            await moved.close()
            await client.close()
        }
    }

    @Test func `another host's certificate is refused by name`() async throws {
        let expected = "host name mismatch: the certificate is not for good.example"
        #expect(
            try await failure(of: "other", serverName: "good.example", trusting: "other")
                == .tls(expected)
        )
        #expect(
            try await failure(of: "other", serverName: "127.0.0.1", trusting: "other")
                == .tls("host name mismatch: the certificate is not for 127.0.0.1")
        )
    }

    @Test func `an expired certificate is refused as that`() async throws {
        #expect(
            try await failure(of: "expired", serverName: "good.example", trusting: "expired")
                == .tls("certificate has expired")
        )
    }

    @Test func `a certificate that nobody vouches for is refused`() async throws {
        #expect(
            try await failure(of: "good", serverName: "good.example", trusting: nil)
                == .tls("self-signed certificate")
        )
    }

    @Test func `a server without TLS is a failed handshake`() async throws {
        try await withReactors { group in
            let server = SideAcceptor(echoes: true)
            let bound = try group.listen(on: anyPort, acceptor: server)
            let client = Side(on: group.reactors[0])
            let security = ClientSecurity(serverName: "good.example", authorityFile: nil)
            await client.connect(to: bound, security: security)
            #expect(await eventually { client.seen.readiness.contains(.hasFailed) })
            guard case .failed(.tls) = client.seen.end else {
                Issue.record("\(String(describing: client.seen.end))")
                return
            }
            await client.close()
            await server.closeAll()
        }
    }

    @Test func `files that cannot be used are named`() async throws {
        try await withTemporaryFolder { folder in
            try makeCertificates(in: folder)
            let good = "\(folder)/good"
            let other = "\(folder)/other"
            #expect(
                throws: SecurityContextError.keyMismatch(
                    certificateFile: "\(good).pem",
                    keyFile: "\(other).key"
                )
            ) {
                _ = try ServerSecurity(certificateFile: "\(good).pem", keyFile: "\(other).key")
            }
            let error = #expect(throws: SecurityContextError.self) {
                _ = try ServerSecurity(certificateFile: "/nowhere.pem", keyFile: "\(good).key")
            }
            #expect(
                error?.description
                    == "cannot read the certificate in /nowhere.pem: No such file or directory"
            )
        }
        try await withReactors { group in
            let client = Side(on: group.reactors[0])
            let security = ClientSecurity(serverName: "a", authorityFile: "/nowhere.pem")
            await client.connect(to: anyPort, security: security)
            guard case .tls(let reason) = client.seen.failure else {
                Issue.record("a missing authority file must be told")
                return
            }
            #expect(reason.hasPrefix("cannot read the authorities in /nowhere.pem"))
        }
    }
}
