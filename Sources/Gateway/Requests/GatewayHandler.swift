import BrowserClient
import Dialects
import HTTPServer
import HTTPWire
import Reactor
import StreamBytes

/// The routes of one reactor's connections, public or admin.
package final class GatewayHandler: RequestHandler {
    let core: GatewayCore
    let registry: StreamRegistry
    let isAdmin: Bool

    /// - Parameters:
    ///   - core: what the gateway's reactors share.
    ///   - index: the reactor whose connections it serves.
    ///   - isAdmin: whether it serves the admin listener.
    package init(core: GatewayCore, reactor index: Int, isAdmin: Bool) {
        self.core = core
        self.isAdmin = isAdmin
        registry = core.registries[index]
    }

    package func admit(_ head: RequestHead, on connection: ConnectionInfo) -> BodyAdmission {
        let settings = core.settings
        let rules = BrowserRules(origins: settings.origins)
        guard rules.acceptsHost(head, local: connection.local) else {
            registry.count { $0.refusals["foreign_host", default: 0] += 1 }
            return .refuse(
                plainAnswer(head).failure(
                    StreamFailure(
                        .badRequest,
                        "this listener serves loopback names only, not that Host"
                    ),
                    status: 421
                )
            )
        }
        return .take(limit: settings.bodyLimit)
    }

    package func refusal(status: Int, reason: String, head: RequestHead?) -> HTTPResponse {
        registry.count { $0.refusals["http_\(status)", default: 0] += 1 }
        let code: ErrorCode = status >= 500 ? .internal : .badRequest
        return plainAnswer(head).failure(StreamFailure(code, reason), status: status)
    }

    package func respond(to request: HTTPRequest, through exchange: Exchange) {
        let visit = Visit(
            request,
            through: exchange,
            settings: core.settings,
            codings: registry.codings,
            isAdmin: isAdmin
        )
        if request.head.method == "OPTIONS" {
            let fields = visit.rules.fieldsForPreflight(request.head)
            return visit.send(visit.answer(adding: fields).empty(204))
        }
        route(visit)
    }

    private func plainAnswer(_ head: RequestHead?) -> Answer {
        Answer(
            isOpenAI: head?.path.hasPrefix("/v1") ?? false,
            fields: ["x-request-id": "req-\(randomText(20, from: registry.executor))"]
        )
    }
}

// MARK: - Routes

extension GatewayHandler {
    private func route(_ visit: Visit) {
        let path = visit.head.path.split(separator: "/", omittingEmptySubsequences: true)
        switch path.first {
        case "healthz" where path.count == 1: allow(visit, "GET") { health(visit) }
        case "readyz" where path.count == 1: allow(visit, "GET") { readiness(visit) }
        case "metrics" where isAdmin && path.count == 1: allow(visit, "GET") { metrics(visit) }
        case "v1": routeOpenAI(visit, path.dropFirst())
        case "api" where path.dropFirst().first == "stream":
            routeStream(visit, path.dropFirst(2))
        case "api" where path.dropFirst() == ["alerts"]: allow(visit, "GET") { alerts(visit) }
        case "api" where path.dropFirst() == ["usage"]: allow(visit, "GET") { usage(visit) }
        case "api" where path.dropFirst().first == "billing":
            routeBilling(visit, path.dropFirst(2))
        default:
            guard !isAdmin, let file = BrowserFile.at(visit.head.path) else {
                return notFound(visit)
            }
            allow(visit, "GET") { send(file, for: visit) }
        }
    }

    private func routeOpenAI(_ visit: Visit, _ path: ArraySlice<Substring>) {
        switch path.first {
        case "chat" where path.dropFirst() == ["completions"]:
            allow(visit, "POST") { chat(visit) }
        case "models" where path.count == 1: allow(visit, "GET") { models(visit) }
        case "models":
            allow(visit, "GET") { model(visit, path.dropFirst().joined(separator: "/")) }
        default:
            let served = "POST /v1/chat/completions, GET /v1/models and GET /v1/models/{id}"
            visit.fail(
                StreamFailure(
                    .badRequest,
                    "\(visit.head.method) \(visit.head.path.prefix(80)) is not served; "
                        + "served are \(served)"
                ),
                status: 404
            )
        }
    }

    private func routeStream(_ visit: Visit, _ path: ArraySlice<Substring>) {
        guard let name = path.first else {
            return allow(visit, "GET", "POST") {
                visit.head.method == "POST" ? postStream(visit) : getStream(visit)
            }
        }
        switch name {
        case "token" where path.count == 1: allow(visit, "POST") { makeToken(visit) }
        case "active" where path.count == 1: allow(visit, "GET") { activeStreams(visit) }
        case "stats" where path.count == 1: allow(visit, "GET") { statistics(visit) }
        case "selftest" where path.count == 1: allow(visit, "GET") { selftest(visit) }
        default: routeOneStream(visit, String(name), path.dropFirst())
        }
    }

    private func routeBilling(_ visit: Visit, _ path: ArraySlice<Substring>) {
        let words = Array(path)
        guard words.count == 4, words[0] == "accounts", words[2] == "periods" else {
            return notFound(visit)
        }
        allow(visit, "GET") {
            billingPeriod(visit, account: String(words[1]), period: String(words[3]))
        }
    }

    private func routeOneStream(_ visit: Visit, _ name: String, _ rest: ArraySlice<Substring>) {
        if rest.isEmpty {
            allow(visit, "GET", "DELETE") {
                visit.head.method == "DELETE"
                    ? cancelStream(visit, name) : resumeStream(visit, name)
            }
        } else if rest == ["metrics"] {
            allow(visit, "GET") { streamMetrics(visit, name) }
        } else {
            notFound(visit)
        }
    }

    /// Serves one of these methods; `HEAD` goes with `GET`, and starts nothing.
    private func allow(_ visit: Visit, _ methods: String..., serve: () -> Void) {
        let method = visit.head.method
        if methods.contains(method) || (method == "HEAD" && methods.contains("GET")) {
            return serve()
        }
        var response = visit.answer.failure(
            StreamFailure(.badRequest, "\(method) is not allowed here"),
            status: 405
        )
        let allowed = methods + (methods.contains("GET") ? ["HEAD"] : []) + ["OPTIONS"]
        response.head.fields.append("Allow", allowed.joined(separator: ", "))
        visit.send(response)
    }

    private func notFound(_ visit: Visit) {
        visit.fail(
            StreamFailure(.badRequest, "nothing is served at \(visit.head.path.prefix(80))"),
            status: 404
        )
    }
}

// MARK: - Who asks

extension GatewayHandler {
    /// Returns who asks; nil when the request was answered with 401.
    func caller(_ visit: Visit) -> Caller? {
        guard let key = visit.presentedKey else {
            if visit.settings.isOpen { return Caller(account: "local", keyID: "") }
            refuse(visit, "no API key: send it as Authorization: Bearer … or x-api-key")
            return nil
        }
        if let caller = core.callers.caller(presenting: key) { return caller }
        refuse(visit, "the API key is not valid")
        return nil
    }

    /// Returns whose streams the request may see; nil when it was answered with 401.
    func viewer(_ visit: Visit) -> Viewer? {
        isAdmin ? .everyone : caller(visit).map { .caller($0) }
    }

    private func refuse(_ visit: Visit, _ message: String) {
        registry.count { $0.refusals["unauthorized", default: 0] += 1 }
        visit.fail(StreamFailure(.unauthorized, message))
    }
}

extension Visit {
    fileprivate var presentedKey: String? {
        if let key = head.fields.first("x-api-key") { return key }
        guard let value = head.fields.first("authorization") else { return nil }
        let parts = value.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0].lowercased() == "bearer" else { return "" }
        return String(parts[1].drop { $0 == " " })
    }

    /// An answer with further fields.
    func answer(adding extra: [(String, String)]) -> Answer {
        var fields: HeaderFields = ["x-request-id": requestID]
        for (name, value) in extra { fields.append(name, value) }
        return Answer(isOpenAI: answer.isOpenAI, fields: fields)
    }
}
