import HTTPServer
import HTTPWire
import Reactor
import StreamBytes

/// A server of one connection on a scripted reactor.
struct Fixture {
    let reactor = ScriptedReactor()
    let handler = ScriptedHandler()
    let registry: ConnectionRegistry
    private let security: ServerSecurity?

    /// Accepts the connection.
    ///
    /// - Parameters:
    ///   - other: answers instead of `handler`.
    ///   - security: has the connections speak TLS.
    ///   - adjust: changes the defaults.
    init(
        handler other: (any RequestHandler)? = nil,
        security: ServerSecurity? = nil,
        _ adjust: (inout ServerConfiguration) -> Void = { _ in }
    ) {
        var configuration = ServerConfiguration()
        adjust(&configuration)
        self.security = security
        registry = ConnectionRegistry(configuration: configuration, reactorCount: 2)
        accept(other ?? handler)
    }

    private func accept(_ handler: any RequestHandler) {
        let socket = PassedSocket(
            descriptor: -1,
            peer: .unix(path: ""),
            local: .unix(path: ""),
            unread: []
        )
        registry.accept(socket, on: reactor, security: security, handler: handler)
    }

    /// Opens another connection, whose socket `socket` is from now on.
    func connectAgain() -> ScriptedSocket {
        accept(handler)
        return socket
    }

    var socket: ScriptedSocket { reactor.socket }

    /// The exchange of the request that came last.
    var exchange: Exchange { handler.exchanges[handler.exchanges.count - 1] }

    static let get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"

    static func get(_ path: String, _ more: String = "") -> String {
        "GET \(path) HTTP/1.1\r\nHost: a\r\n\(more)\r\n"
    }
}

/// Answers `/now` at once with its path, and leaves everything else to the test.
///
/// Proof for `@unchecked Sendable`: each test makes its own and uses it from one thread.
final class ScriptedHandler: RequestHandler, @unchecked Sendable {
    private(set) var requests: [HTTPRequest] = []
    private(set) var exchanges: [Exchange] = []
    var admission = BodyAdmission.take(limit: 1_000)

    func admit(_ head: RequestHead, on connection: ConnectionInfo) -> BodyAdmission { admission }

    func respond(to request: HTTPRequest, through exchange: Exchange) {
        requests.append(request)
        exchanges.append(exchange)
        if request.head.path.hasPrefix("/now") {
            exchange.send(.text(200, String(request.head.path.dropFirst())))
        }
    }

    func refusal(status: Int, reason: String, head: RequestHead?) -> HTTPResponse {
        .text(status, reason)
    }
}

/// A body whose bytes the test puts in.
///
/// Proof for `@unchecked Sendable`: each test makes its own and uses it from one thread.
final class ScriptedBody: BodySource, @unchecked Sendable {
    var waiting = ""
    var end: BodyProgress = .pending
    private(set) var pullCount = 0
    private(set) var sentCount = 0
    private(set) var halfCloseCount = 0
    private(set) var ends: [ResponseEnd] = []
    var onEnd: () -> Void = {}

    init(_ waiting: String = "", end: BodyProgress = .pending) {
        self.waiting = waiting
        self.end = end
    }

    func nextBytes(into buffer: inout [UInt8], limit: Int) -> BodyProgress {
        pullCount += 1
        let part = waiting.utf8.prefix(limit)
        buffer.append(contentsOf: part)
        waiting = String(decoding: waiting.utf8.dropFirst(limit), as: UTF8.self)
        return waiting.isEmpty ? end : .more
    }

    func everythingWasSent(at now: MonotonicTime) { sentCount += 1 }

    func clientClosedItsSendingSide() {
        halfCloseCount += 1
        waiting = ":\n\n" + waiting
    }

    func responseEnded(_ reason: ResponseEnd) {
        ends.append(reason)
        onEnd()
    }
}

extension HTTPResponse {
    static func text(_ status: Int, _ text: String) -> HTTPResponse {
        HTTPResponse(head: ResponseHead(status: status), body: Array(text.utf8))
    }
}

extension String {
    /// The statuses of the responses in it, in order.
    var statusCodes: [String] {
        ranges(of: "HTTP/1.1 ").map { String(self[$0.upperBound...].prefix(3)) }
    }
}
