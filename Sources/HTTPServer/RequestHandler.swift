import HTTPWire
import Reactor

/// What the program does with requests; the server calls it on the connection's reactor, outside
/// any task.
package protocol RequestHandler: Sendable {
    /// Called when a head has arrived, before its body is read.
    ///
    /// - Returns: the longest body that is taken, in bytes, or the answer that refuses the request.
    func admit(_ head: RequestHead, on connection: ConnectionInfo) -> BodyAdmission

    /// Called once per admitted request with its whole body. Answer through `exchange`, at once or
    /// later, once.
    func respond(to request: HTTPRequest, through exchange: Exchange)

    /// Returns the answer for a request that the server itself refuses, so that its form is the
    /// program's.
    ///
    /// - Parameters:
    ///   - status: what fits what is wrong: malformed, too large, too slow.
    ///   - reason: a few words for a person.
    ///   - head: what could be parsed of it; nil when the head is bad.
    /// - Returns: the answer; the connection ends after it.
    func refusal(status: Int, reason: String, head: RequestHead?) -> HTTPResponse
}

package enum BodyAdmission: Sendable {
    case take(limit: Int)
    case refuse(HTTPResponse)
}

/// A request, whole.
package struct HTTPRequest: Sendable {
    package let head: RequestHead
    package let body: [UInt8]

    package init(head: RequestHead, body: [UInt8]) {
        self.head = head
        self.body = body
    }
}

/// A response that is known in full when it starts.
package struct HTTPResponse: Sendable {
    package var head: ResponseHead
    package var body: [UInt8]
    /// Whether the connection ends after it.
    package var closesConnection = false

    package init(head: ResponseHead, body: [UInt8]) {
        self.head = head
        self.body = body
    }
}

package struct ConnectionInfo: Sendable {
    package let peer: SocketAddress
    package let local: SocketAddress
    package let isSecure: Bool

    package init(peer: SocketAddress, local: SocketAddress, isSecure: Bool) {
        self.peer = peer
        self.local = local
        self.isSecure = isSecure
    }
}
