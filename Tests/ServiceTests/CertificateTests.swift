import Foundation
import Reactor
import Service
import StreamBytes
import Telemetry
import TestSupport
import Testing
import TransportSecurity

/// Certificates on their way from files to connections.
struct CertificateTests {
    private let folder: ScratchFolder
    private let log = CollectedLog()
    private let start = WallTime(milliseconds: 1_800_000_000_000)

    init() throws { folder = try ScratchFolder() }

    private func certificate(
        from validFrom: WallTime? = nil,
        until validUntil: WallTime? = nil
    ) throws -> SelfSignedCertificate {
        try SelfSignedCertificate(
            for: ["DNS:a.example"],
            validFrom: validFrom ?? start.adding(days: -1),
            validUntil: validUntil ?? start.adding(days: 90)
        )
    }

    private var files: KeyPairFiles {
        KeyPairFiles(certificateFile: folder.path("a.pem"), keyFile: folder.path("a.key"))
    }

    private func write(_ certificate: SelfSignedCertificate) throws {
        _ = try folder.write("a.pem", certificate.certificate)
        _ = try folder.write("a.key", certificate.key)
    }

    private func withKeeper(
        _ source: CertificateSource? = nil,
        _ body: (CertificateKeeper) async throws -> Void
    ) async throws {
        let keeper = try CertificateKeeper(source ?? .files([files]), at: start, log: log)
        do {
            try await body(keeper)
        } catch {
            keeper.stop()
            throw error
        }
        keeper.stop()
    }

    private func metrics(_ keeper: CertificateKeeper) -> String {
        var text = PrometheusText()
        keeper.writeMetrics(to: &text, at: start)
        return String(decoding: text.bytes, as: UTF8.self)
    }

    @Test func `a changed pair is used once it has settled`() async throws {
        try write(certificate())
        try await withKeeper { keeper in
            let first = keeper.security?.certificates
            try write(certificate())

            await keeper.look(at: start)
            #expect(keeper.security?.certificates == first)
            await keeper.look(at: start)

            #expect(keeper.security?.certificates != first)
            #expect(log.events == ["certificates_read"])
        }
    }

    @Test func `a pair that does not fit changes nothing until it does`() async throws {
        try write(certificate())
        try await withKeeper { keeper in
            let first = keeper.security?.certificates
            let second = try certificate()
            _ = try folder.write("a.pem", second.certificate)
            for _ in 0..<5 { await keeper.look(at: start) }

            #expect(keeper.security?.certificates == first)
            #expect(log.events == ["certificates_refused"])
            #expect("\(log.lines[0].fields)".contains(files.keyFile))
            #expect(metrics(keeper).contains("weir_certificate_refusals_total 1"))
            _ = try folder.write("a.key", second.key)
            for _ in 0..<2 { await keeper.look(at: start) }

            #expect(keeper.security?.certificates != first)
        }
    }

    @Test func `files that are half written change nothing`() async throws {
        try write(certificate())
        try await withKeeper { keeper in
            let first = keeper.security?.certificates
            let text = try certificate().certificate
            _ = try folder.write("a.pem", String(text.prefix(200)))
            for _ in 0..<2 { await keeper.look(at: start) }
            try FileManager.default.removeItem(atPath: files.keyFile)
            for _ in 0..<2 { await keeper.look(at: start) }

            #expect(keeper.security?.certificates == first)
            #expect(log.events == ["certificates_refused", "certificates_refused"])
        }
    }

    @Test func `a certificate of the past or of the future is refused at the start`() throws {
        try write(certificate(from: start.adding(days: -9), until: start.adding(days: -1)))
        let past = #expect(throws: SecurityContextError.self) {
            _ = try CertificateKeeper(.files([files]), at: start, log: log)
        }
        #expect(past?.description.contains("expired on 2027-01-14T08:00:00.000Z") == true)
        #expect(past?.description.contains(files.certificateFile) == true)

        try write(certificate(from: start.adding(days: 1)))
        #expect(throws: SecurityContextError.self) {
            _ = try CertificateKeeper(.files([files]), at: start, log: log)
        }
    }

    @Test func `a certificate that has expired is refused when it is read again`() async throws {
        try write(certificate())
        try await withKeeper { keeper in
            let first = keeper.security?.certificates
            try write(certificate(from: start.adding(days: -9), until: start.adding(days: -1)))
            await #expect(throws: SecurityContextError.self) {
                _ = try await keeper.read(from: .files([files]), at: start)
            }
            #expect(keeper.security?.certificates == first)
        }
    }

    @Test func `another place can be named, and none`() async throws {
        try write(certificate())
        try await withKeeper { keeper in
            let none = try await keeper.read(from: .none, at: start)
            #expect(keeper.security != nil)
            await keeper.use(none, at: start)
            #expect(keeper.security == nil)
            await keeper.use(try await keeper.read(from: .files([files]), at: start), at: start)
            #expect(keeper.security != nil)
        }
    }

    @Test func `the days that are left are told, and a warning when they are few`() async throws {
        try write(certificate(until: start.adding(days: 20)))
        try await withKeeper { keeper in
            let line = #"weir_certificate_days_left{file="\#(files.certificateFile)"} 20"#
            #expect(metrics(keeper).contains(line))
            await keeper.look(at: start.adding(days: 5))
            #expect(log.events.isEmpty)
            await keeper.look(at: start.adding(days: 7))
            await keeper.look(at: start.adding(days: 7))
            #expect(log.events == ["certificate_expires_soon"])
        }
    }

    @Test func `a machine's own certificate is made once and replaced before its end`()
        async throws
    {
        let local = LocalCertificate(directory: folder.path("data"))
        try local.renewIfDue(at: start)
        let first = try String(contentsOfFile: local.files.certificateFile, encoding: .utf8)
        let attributes = try FileManager.default.attributesOfItem(atPath: local.files.keyFile)
        #expect(attributes[.posixPermissions] as? Int == 0o600)

        try local.renewIfDue(at: start.adding(days: 59))
        #expect(try String(contentsOfFile: local.files.certificateFile, encoding: .utf8) == first)

        try await withKeeper(.own(local)) { keeper in
            for _ in 0..<2 { await keeper.look(at: start.adding(days: 61)) }
            let end = try #require(keeper.security?.certificates.first?.validUntil)
            #expect(end > start.adding(days: 140))
        }
    }

    @Test func `a certificate of its own that cannot be read is made again`() throws {
        let local = LocalCertificate(directory: folder.path("data"))
        try local.renewIfDue(at: start)
        try Data("nonsense".utf8).write(to: URL(fileURLWithPath: local.files.keyFile))

        try local.renewIfDue(at: start)

        #expect(try ServerSecurity([local.files]).certificates.count == 1)
    }
}

extension WallTime {
    fileprivate func adding(days: Int64) -> WallTime {
        WallTime(milliseconds: milliseconds + days * 86_400_000)
    }
}
