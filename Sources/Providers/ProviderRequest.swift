import HTTPWire
import Reactor

/// Where a provider answers.
package struct ProviderEndpoint: Hashable, Sendable {
    package let host: String
    package let port: UInt16
    /// Whether TLS is spoken; the certificate must then be valid for `host`.
    package let isSecure: Bool
    /// A PEM file with further trusted authorities.
    package let authorityFile: String?
    package let http2: HTTP2Use

    package init(
        host: String,
        port: UInt16,
        isSecure: Bool,
        authorityFile: String?,
        http2: HTTP2Use = .negotiated
    ) {
        self.host = host
        self.port = port
        self.isSecure = isSecure
        self.authorityFile = authorityFile
        self.http2 = http2
    }

    /// The value of the `Host` field: the port is left out where it is the scheme's own.
    var authority: String {
        let name = host.contains(":") ? "[\(host)]" : host
        return port == (isSecure ? 443 : 80) ? name : "\(name):\(port)"
    }
}

/// When HTTP/2 is spoken with a provider.
package enum HTTP2Use: Hashable, Sendable {
    case never
    /// Where TLS agrees on it.
    case negotiated
    /// Always: the provider is known to speak it.
    case priorKnowledge
}

/// How long to wait for a provider.
package struct ProviderTimeouts: Sendable, Equatable {
    /// Name resolution, connection and TLS handshake together.
    package var connect: Duration = .seconds(5)
    /// From the request's last byte to the response's head.
    package var firstByte: Duration = .seconds(120)
    /// Between two reads of the body, while it is wanted.
    package var silence: Duration = .seconds(90)

    package init() {}
}

/// One request to a provider.
package struct ProviderRequest: Sendable {
    package let endpoint: ProviderEndpoint
    package let path: String
    /// Fields beside `Host`, `Content-Length`, `Accept-Encoding` and `Connection`.
    package let fields: HeaderFields
    package let body: [UInt8]
    package let timeouts: ProviderTimeouts

    package init(
        endpoint: ProviderEndpoint,
        path: String,
        fields: HeaderFields,
        body: [UInt8],
        timeouts: ProviderTimeouts
    ) {
        self.endpoint = endpoint
        self.path = path
        self.fields = fields
        self.body = body
        self.timeouts = timeouts
    }
}

/// Told on the reactor's thread, outside any task, how its request fares.
///
/// Order: `providerAnswered`, then `providerSent` and `providerReadEnded` in turn, then
/// `providerEnded`, once; the last may come alone.
package protocol ProviderReceiver: AnyObject, Sendable {
    func providerAnswered(_ head: ResponseHead)

    /// Body bytes: `range` of `bytes`, valid during the call.
    func providerSent(_ bytes: [UInt8], _ range: Range<Int>)

    /// All bytes of one read of the socket were passed on.
    func providerReadEnded()

    func providerEnded(_ end: ProviderEnd)
}

/// How a provider's answer ended.
package enum ProviderEnd: Equatable, Sendable {
    /// The body came to its end by its own framing.
    case complete
    /// The connection ended, or broke, within the body.
    case truncated
    /// There was no usable answer.
    case failed(ProviderTrouble)
}

/// Why a provider gave no usable answer.
package enum ProviderTrouble: Equatable, Sendable {
    case nameNotFound
    case unreachable(SocketError)
    case connectTimedOut
    /// No head within `firstByte`.
    case firstByteTimedOut
    /// No body bytes within `silence`.
    case silent
    /// The connection ended before a whole head had come.
    case noAnswer
    /// What came is no HTTP; the text names the rule that it breaks.
    case badAnswer(String)
    /// A header field of the request, such as its key, holds what no field may hold.
    case unsendable

    /// What an operator reads: no secrets, no bytes of the answer.
    package var summary: String {
        switch self {
        case .nameNotFound: "its host name cannot be resolved"
        case .unreachable(.tls(let reason)): "TLS failed: \(reason)"
        case .unreachable(.refused): "it refuses connections"
        case .unreachable(.reset): "it reset the connection"
        case .unreachable(.timedOut): "the connection timed out"
        case .unreachable(.noDescriptors): "this process has no descriptors left"
        case .unreachable(let error): "it cannot be reached (\(error))"
        case .connectTimedOut: "no connection in time"
        case .firstByteTimedOut: "no answer in time"
        case .silent: "nothing more came in time"
        case .noAnswer: "it closed the connection without an answer"
        case .badAnswer(let rule): "its answer cannot be used: \(rule)"
        case .unsendable: "its key or another field cannot be sent in a header"
        }
    }
}
