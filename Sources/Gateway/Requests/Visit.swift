import Dialects
import HTTPServer
import HTTPWire
import Reactor

/// One request on its way through the routes: who asks, through what, and how it is answered.
struct Visit: Sendable {
    let request: HTTPRequest
    let exchange: Exchange
    let settings: GatewaySettings
    /// Of the reactor that answers.
    let codings: Guarded<ReactorCodings>
    let requestID: String
    /// Whether it came through the admin listener, which speaks for every account.
    let isAdmin: Bool

    init(
        _ request: HTTPRequest,
        through exchange: Exchange,
        settings: GatewaySettings,
        codings: Guarded<ReactorCodings>,
        isAdmin: Bool
    ) {
        self.request = request
        self.exchange = exchange
        self.settings = settings
        self.codings = codings
        self.isAdmin = isAdmin
        requestID = "req-\(randomText(20, from: exchange.executor))"
    }

    var head: RequestHead { request.head }
    var rules: BrowserRules { BrowserRules(origins: settings.origins) }
    var query: QueryString { QueryString(head.query) }

    var answer: Answer {
        var fields: HeaderFields = ["x-request-id": requestID]
        for (name, value) in rules.fieldsForReading(head) { fields.append(name, value) }
        return Answer(isOpenAI: head.path.hasPrefix("/v1"), fields: fields)
    }

    func send(_ response: HTTPResponse) {
        var response = response
        codings.withLock { codings in
            _ = codings.code(&response, accepted: acceptedCodings, settings.streams)
        }
        exchange.send(response)
    }

    func fail(_ failure: StreamFailure, status: Int? = nil) {
        send(answer.failure(failure, status: status))
    }

    /// The content codings that the client accepts.
    var acceptedCodings: AcceptedCodings { AcceptedCodings(head.fields.values("accept-encoding")) }

    /// The client's side of a stream, as this request asks for it.
    var streamClient: StreamClient {
        StreamClient(
            exchange: exchange,
            fields: answer.fields,
            accepted: acceptedCodings,
            sendsHeartbeatEvents: query["heartbeat"].map { $0 == "event" }
        )
    }

    /// The place to continue from: `Last-Event-ID`, or the same as a parameter.
    var lastEventID: String? { head.fields.first("last-event-id") ?? query["after"] }

    /// Whether the client is an `EventSource`, or speaks like one.
    var acceptsEventStream: Bool {
        head.fields.values("accept").contains { $0.lowercased().contains("text/event-stream") }
    }
}

/// One client that follows a stream.
struct StreamClient: Sendable {
    let exchange: Exchange
    /// What its response carries beside the stream's own fields.
    let fields: HeaderFields
    let accepted: AcceptedCodings
    /// Whether heartbeats are events; nil: as configured.
    let sendsHeartbeatEvents: Bool?
}

/// Whose streams a request may see and end.
enum Viewer: Sendable {
    case caller(Caller)
    case everyone

    func maySee(_ order: StreamOrder) -> Bool {
        switch self {
        case .caller(let caller): order.caller.account == caller.account
        case .everyone: true
        }
    }
}
