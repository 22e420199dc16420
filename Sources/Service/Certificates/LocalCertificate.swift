import Reactor
import StreamBytes
import TransportSecurity

/// The certificate for this machine alone that the gateway makes itself, in the data directory.
package struct LocalCertificate: Equatable, Sendable {
    private static let names = ["DNS:localhost", "IP:127.0.0.1", "IP:::1"]
    private static let life = Duration.seconds(90 * 86_400)
    /// It is replaced when less than this is left.
    private static let reserve = Duration.seconds(30 * 86_400)
    /// Clients whose clock is a little late shall take it.
    private static let leeway = Duration.seconds(86_400)

    private let folder: String

    package init(directory: String) { folder = "\(directory)/tls" }

    package var files: KeyPairFiles {
        KeyPairFiles(
            certificateFile: "\(folder)/localhost.pem",
            keyFile: "\(folder)/localhost.key"
        )
    }

    /// Makes the certificate when there is none that can be used for a while.
    ///
    /// - Throws: `FileError`, `DataDirectoryError`, `SecurityContextError`.
    package func renewIfDue(at now: WallTime) throws {
        guard !isUsable(at: now) else { return }
        try DataDirectory.makeFolder(folder)
        let made = try SelfSignedCertificate(
            for: Self.names,
            validFrom: now.adding(.zero - Self.leeway),
            validUntil: now.adding(Self.life)
        )
        try Files.replace(files.keyFile, with: Array(made.key.utf8), mode: 0o600)
        try Files.replace(files.certificateFile, with: Array(made.certificate.utf8), mode: 0o644)
    }

    private func isUsable(at now: WallTime) -> Bool {
        // Whatever is wrong with it, another one is made.
        guard let certificate = try? ServerSecurity([files]).certificates.first else {
            return false
        }
        return certificate.validFrom <= now
            && now.adding(Self.reserve) < certificate.validUntil
    }
}
