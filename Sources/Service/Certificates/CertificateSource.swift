import Reactor
import StreamBytes
import TransportSecurity

/// Where the certificates of the public listeners come from.
package enum CertificateSource: Equatable, Sendable {
    /// From nowhere: the listeners are plain.
    case none
    case files([KeyPairFiles])
    /// The gateway makes one itself.
    case own(LocalCertificate)

    /// - Parameters:
    ///   - configuration: names files, or none.
    ///   - makesOwn: whether TLS is spoken even so.
    init(_ configuration: WeirConfiguration, makesOwn: Bool) {
        if !configuration.tls.isEmpty {
            self = .files(configuration.tls.map(KeyPairFiles.init))
        } else if makesOwn {
            self = .own(LocalCertificate(directory: configuration.data.directory))
        } else {
            self = .none
        }
    }

    private var pairs: [KeyPairFiles] {
        switch self {
        case .none: []
        case .files(let pairs): pairs
        case .own(let certificate): [certificate.files]
        }
    }

    /// The certificate that nobody else vouches for; nil if there is none.
    var ownCertificateFile: String? {
        guard case .own(let certificate) = self else { return nil }
        return certificate.files.certificateFile
    }

    /// What the files are like now.
    var stamps: [FileStamp?] {
        pairs.flatMap { [FileStamp($0.certificateFile), FileStamp($0.keyFile)] }
    }

    /// Makes the gateway's own certificate, if it has one that is missing or close to its end.
    ///
    /// - Throws: `FileError`, `DataDirectoryError`, `SecurityContextError`.
    func renewIfDue(at now: WallTime) throws {
        if case .own(let certificate) = self { try certificate.renewIfDue(at: now) }
    }

    /// Reads the certificates; nil where there are none.
    ///
    /// - Throws: `SecurityContextError`, also for one that is not valid at `now`.
    func read(at now: WallTime) throws(SecurityContextError) -> ServerSecurity? {
        guard !pairs.isEmpty else { return nil }
        let security = try ServerSecurity(pairs)
        for certificate in security.certificates { try certificate.checkValidity(at: now) }
        return security
    }
}

extension KeyPairFiles {
    init(_ files: CertificateFiles) {
        self.init(certificateFile: files.certificate, keyFile: files.key)
    }
}
