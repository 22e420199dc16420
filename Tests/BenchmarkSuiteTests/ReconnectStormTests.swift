import BenchmarkSuite
import TestSupport
import Testing
import TransportSecurity

struct ReconnectStormTests {
    @Test func `a small storm passes, and streams have events meanwhile`() async throws {
        let certificate = try TestCertificate("DNS:localhost")
        var storm = ReconnectStorm()
        storm.clientCount = 20
        storm.streamCount = 4
        storm.interval = .milliseconds(10)

        let result = try await storm.run(
            KeyPairFiles(certificateFile: certificate.file, keyFile: certificate.keyFile)
        )

        #expect(result.handshakeCount == 20)
        #expect(!result.delays.isEmpty)
        #expect(result.duration > .zero)
    }
}
