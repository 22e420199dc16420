import Reactor
import RedisStreams
import TestSupport
import Testing

/// Encrypted connections, to a redis-server that asks for clients' certificates.
@Suite(.serialized) struct RedisSecurityTests {
    /// A server with a certificate, one for its clients, and the URL without login.
    private struct Bench {
        let server: RedisServer
        let certificate: TestCertificate
        let port: UInt16

        init(names: [String], asksClients: Bool) throws {
            certificate = try TestCertificate(names)
            port = try RedisServer.freePort()
            server = try RedisServer(
                options: RedisServer.inMemory + [
                    "--tls-port", "\(port)", "--tls-cert-file", certificate.file,
                    "--tls-key-file", certificate.keyFile, "--tls-ca-cert-file", certificate.file,
                    "--tls-auth-clients", asksClients ? "yes" : "no",
                ]
            )
        }

        func url(
            host: String = "127.0.0.1",
            trusting authorityFile: String?,
            showing own: ClientCertificate? = nil
        ) -> RedisURL {
            RedisURL(
                location: .host(host, port: port),
                user: nil,
                password: nil,
                database: 0,
                encryption: RedisEncryption(authorityFile: authorityFile, certificate: own)
            )
        }

        /// Says PING, and says why that does not work.
        func ping(_ url: RedisURL) async throws -> Result<RedisValue, RedisError> {
            try await withReactor { _, reactor in
                let connection = RedisConnection(to: url, on: reactor)
                var outcome: Result<RedisValue, RedisError>
                // The server may not listen yet.
                let end = ContinuousClock.now + .seconds(20)
                repeat {
                    do throws(RedisError) {
                        outcome = .success(
                            try await connection.send(RedisCommand("PING"), within: .seconds(1))
                        )
                    } catch {
                        outcome = .failure(error)
                    }
                } while outcome.isRefusedConnection && ContinuousClock.now < end
                await connection.close()
                return outcome
            }
        }
    }

    @Test func `a server whose authority is named is believed, by address and by name`()
        async throws
    {
        let bench = try Bench(names: ["IP:127.0.0.1", "DNS:localhost"], asksClients: false)
        for host in ["127.0.0.1", "localhost"] {
            let url = bench.url(host: host, trusting: bench.certificate.file)
            #expect(try await bench.ping(url) == .success(.status("PONG")))
        }
    }

    @Test func `a server that nobody vouches for is not believed`() async throws {
        let bench = try Bench(names: ["IP:127.0.0.1"], asksClients: false)
        let good = bench.url(trusting: bench.certificate.file)
        #expect(try await bench.ping(good) == .success(.status("PONG")))

        let outcome = try await bench.ping(bench.url(trusting: nil))

        #expect(outcome.reason?.contains("TLS: self-signed certificate") == true, "\(outcome)")
    }

    @Test func `a certificate for another host is not believed`() async throws {
        let bench = try Bench(names: ["DNS:other.example"], asksClients: false)

        let outcome = try await bench.ping(bench.url(trusting: bench.certificate.file))

        #expect(outcome.reason?.contains("host name mismatch") == true, "\(outcome)")
    }

    @Test func `the client's certificate is shown to a server that asks`() async throws {
        let bench = try Bench(names: ["IP:127.0.0.1"], asksClients: true)
        let own = ClientCertificate(
            certificateFile: bench.certificate.file,
            keyFile: bench.certificate.keyFile
        )
        let shown = bench.url(trusting: bench.certificate.file, showing: own)
        #expect(try await bench.ping(shown) == .success(.status("PONG")))

        let hidden = try await bench.ping(bench.url(trusting: bench.certificate.file))

        #expect(hidden.reason?.contains("redis.certificate") == true, "\(hidden)")
    }

    @Test func `a file that cannot be read is named`() async throws {
        let bench = try Bench(names: ["IP:127.0.0.1"], asksClients: false)
        let none = ClientCertificate(certificateFile: "/none.pem", keyFile: "/none.key")

        let first = try await bench.ping(bench.url(trusting: "/no-authority.pem"))
        let second = try await bench.ping(
            bench.url(trusting: bench.certificate.file, showing: none)
        )

        #expect(first.reason?.contains("/no-authority.pem") == true, "\(first)")
        #expect(second.reason?.contains("/none.pem") == true, "\(second)")
    }

    @Test func `meter records go through`() async throws {
        let bench = try Bench(names: ["IP:127.0.0.1"], asksClients: false)
        let url = bench.url(trusting: bench.certificate.file)
        #expect(try await bench.ping(url) == .success(.status("PONG")))
        try await withReactor { _, reactor in
            let connection = RedisConnection(to: url, on: reactor)
            let text = String(repeating: "0123456789", count: 300_000)
            let replies = try await connection.send(
                [RedisCommand("SET", "long", text), RedisCommand("GET", "long")],
                within: .seconds(20)
            )
            #expect(replies[1].text == text)
            await connection.close()
        }
    }
}

extension Result<RedisValue, RedisError> {
    fileprivate var reason: String? {
        guard case .failure(let error) = self else { return nil }
        return "\(error)"
    }

    fileprivate var isRefusedConnection: Bool { reason?.contains("connection refused") == true }
}
