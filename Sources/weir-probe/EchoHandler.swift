import HTTPServer
import HTTPWire

/// The routes of `weir-probe echo`.
struct EchoHandler: RequestHandler {
    private static let bodyByteLimit = 4_194_304

    func admit(_ head: RequestHead, on connection: ConnectionInfo) -> BodyAdmission {
        .take(limit: Self.bodyByteLimit)
    }

    func respond(to request: HTTPRequest, through exchange: Exchange) {
        let method = request.head.method
        switch request.head.path {
        case "/echo": exchange.send(Self.response(200, request.body))
        case "/" where Self.isRead(method): exchange.send(Self.text(200, "weir-probe\n"))
        case "/sse" where Self.isRead(method): startEvents(request.head, exchange)
        case "*": exchange.send(Self.response(204, []))
        case "/", "/sse":
            var response = Self.text(405, "use GET\n")
            response.head.fields.append("allow", "GET, HEAD")
            exchange.send(response)
        default: exchange.send(Self.text(404, "there is /, /echo and /sse\n"))
        }
    }

    func refusal(status: Int, reason: String, head: RequestHead?) -> HTTPResponse {
        Self.text(status, "\(reason)\n")
    }

    private static func isRead(_ method: String) -> Bool { method == "GET" || method == "HEAD" }

    private func startEvents(_ head: RequestHead, _ exchange: Exchange) {
        let plan = EventPlan(head)
        guard plan.next <= plan.last else { return exchange.send(Self.response(204, [])) }
        let source = EchoEvents(plan, exchange)
        let fields: HeaderFields = [
            "content-type": "text/event-stream", "cache-control": "no-cache, no-transform",
        ]
        exchange.start(ResponseHead(status: 200, fields: fields), body: source)
    }

    private static func text(_ status: Int, _ text: String) -> HTTPResponse {
        response(status, Array(text.utf8))
    }

    private static func response(_ status: Int, _ body: [UInt8]) -> HTTPResponse {
        let fields: HeaderFields = body.isEmpty ? [:] : ["content-type": "text/plain"]
        return HTTPResponse(head: ResponseHead(status: status, fields: fields), body: body)
    }
}

/// Which events `/sse` sends: `?count=N&interval=MS`, after `Last-Event-ID`.
struct EventPlan {
    private(set) var next: UInt64 = 1
    private(set) var last: UInt64 = 10
    private(set) var interval = Duration.milliseconds(100)

    init(_ head: RequestHead) {
        for pair in (head.query ?? "").split(separator: "&") {
            let parts = pair.split(separator: "=", maxSplits: 1)
            guard parts.count == 2, let number = UInt32(parts[1]) else { continue }
            switch parts[0] {
            case "count": last = UInt64(number)
            case "interval": interval = .milliseconds(Int64(number))
            default: break
            }
        }
        if let seen = head.fields.first("last-event-id").flatMap(UInt32.init) {
            next = UInt64(seen) + 1
        }
    }

    mutating func advance() { next += 1 }
}
