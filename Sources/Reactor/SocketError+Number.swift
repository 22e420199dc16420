import Glibc
import TransportSecurity

extension SocketError {
    /// The error that an `errno` of a socket call means.
    init(errorNumber: Int32) {
        self =
            switch errorNumber {
            case ECONNREFUSED: .refused
            case ECONNRESET, EPIPE, ECONNABORTED: .reset
            case ETIMEDOUT: .timedOut
            case ENETUNREACH, EHOSTUNREACH, ENETDOWN, EHOSTDOWN: .unreachable
            case EMFILE, ENFILE: .noDescriptors
            case EADDRINUSE: .addressInUse
            default: .system(errorNumber)
            }
    }
}

extension SocketError {
    /// The error of a TLS connection.
    init(_ failure: SecurityFailure) {
        self =
            switch failure {
            case .system(let number): SocketError(errorNumber: number)
            case .truncated: .tls("the peer ended the connection without closing TLS")
            case .failed(let reason): .tls(reason)
            }
    }
}

extension SocketError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .refused: "connection refused"
        case .reset: "connection reset"
        case .timedOut: "timed out"
        case .unreachable: "network unreachable"
        case .noDescriptors: "no file descriptors left"
        case .addressInUse: "address already in use"
        case .tls(let reason): "TLS: \(reason)"
        case .system(let number): unsafe String(cString: strerror(number)).lowercased()
        }
    }
}
