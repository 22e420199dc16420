import StreamBytes
import Telemetry

/// Why certificates or keys cannot be used.
package enum SecurityContextError: Error, Equatable, Sendable, CustomStringConvertible {
    case outOfMemory
    case authorityFile(String, reason: String)
    case certificateFile(String, reason: String)
    case keyFile(String, reason: String)
    /// The key is not the one of the certificate.
    case keyMismatch(certificateFile: String, keyFile: String)
    /// Two certificates with the same names and the same kind of key: one would never be shown.
    case repeated(certificateFile: String, first: String)
    /// A certificate that is not the first has no host name to be chosen by.
    case nameless(certificateFile: String)
    case expired(certificateFile: String, at: WallTime)
    case notYetValid(certificateFile: String, until: WallTime)
    /// A new certificate could not be made.
    case notMade(reason: String)

    package var description: String {
        switch self {
        case .outOfMemory: "no memory for TLS"
        case .authorityFile(let path, let reason):
            "cannot read the authorities in \(path): \(reason)"
        case .certificateFile(let path, let reason):
            "cannot read the certificate in \(path): \(reason)"
        case .keyFile(let path, let reason): "cannot read the key in \(path): \(reason)"
        case .keyMismatch(let certificate, let key):
            "the key in \(key) does not belong to the certificate in \(certificate)"
        case .repeated(let certificate, let first):
            "the certificate in \(certificate) has the names and the kind of key of \(first)"
        case .nameless(let certificate):
            "the certificate in \(certificate) has no host name to be chosen by (subjectAltName)"
        case .expired(let certificate, let time):
            "the certificate in \(certificate) expired on \(CalendarTime(milliseconds: time.milliseconds).text)"
        case .notYetValid(let certificate, let time):
            "the certificate in \(certificate) is not valid before \(CalendarTime(milliseconds: time.milliseconds).text)"
        case .notMade(let reason): "cannot make a certificate: \(reason)"
        }
    }
}
