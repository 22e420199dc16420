import HTTPServer
import HTTPWire
import Reactor
import Replay

/// Answers requests as a model provider would, from recorded bodies.
///
/// `POST /v1/chat/completions` is OpenAI's protocol, `POST …/messages` Anthropic's; any other path
/// is answered with the body of the model, whatever its protocol. `GET /v1/models` lists the
/// models, `GET /counts` says what was sent, `GET /answers` to whom.
package final class ReplayHandler: RequestHandler {
    private let settings: ReplaySettings
    let encoders = ReplayEncoders()
    private let log = Guarded(Log())

    private struct Log {
        var counts = ReplayCounts()
        var requests: [ReceivedRequest] = []
        var answers: [ReplayedAnswer] = []
    }

    package init(_ settings: ReplaySettings = ReplaySettings()) { self.settings = settings }

    /// What was received and sent so far.
    ///
    /// Call from any thread.
    package var counts: ReplayCounts { log.withLock(\.counts) }

    /// The latest requests for an answer, the oldest first.
    ///
    /// Call from any thread.
    package var requests: [ReceivedRequest] { log.withLock(\.requests) }

    /// The latest answers that are over, in the order of their ends.
    ///
    /// Call from any thread.
    package var answers: [ReplayedAnswer] { log.withLock(\.answers) }

    package func admit(_ head: RequestHead, on connection: ConnectionInfo) -> BodyAdmission {
        .take(limit: settings.bodyByteLimit)
    }

    package func respond(to request: HTTPRequest, through exchange: Exchange) {
        switch (request.head.method, request.head.path) {
        case ("GET", "/counts"): exchange.send(.json(200, counts.json))
        case ("GET", "/answers"): exchange.send(.json(200, .array(answers.map(\.json))))
        case ("GET", "/v1/models"): exchange.send(.json(200, models))
        default: answer(ReplayQuestion(request), through: exchange)
        }
    }

    package func refusal(status: Int, reason: String, head: RequestHead?) -> HTTPResponse {
        .json(status, .object(["error": .object(["message": .string(reason)])]))
    }

    func count(_ change: (inout ReplayCounts) -> Void) { log.withLock { change(&$0.counts) } }

    /// Counts an answer that is over.
    func note(_ answer: ReplayedAnswer) {
        log.withLock { log in
            switch answer.end {
            case .finished: log.counts.finished += 1
            case .broken: log.counts.broken += 1
            case .abandoned: log.counts.abandoned += 1
            }
            Self.keep(answer, in: &log.answers, limit: settings.requestLimit)
        }
    }

    private func answer(_ question: ReplayQuestion, through exchange: Exchange) {
        note(question.received)
        guard let plan = settings.catalogue.plan(for: question.received.model, in: question.format)
        else { return exchange.send(.failure(404, in: question.format)) }
        guard let fitting = question.wantsStream ? question.paced(plan) : plan.answeringWhole else {
            return exchange.send(.failure(400, in: question.format))
        }
        ReplayResponse(fitting, to: question.received, through: exchange, countedBy: self).begin()
    }

    private func note(_ request: ReceivedRequest) {
        log.withLock { log in
            log.counts.requests += 1
            Self.keep(request, in: &log.requests, limit: settings.requestLimit)
        }
    }

    private static func keep<Kept>(_ new: Kept, in kept: inout [Kept], limit: Int) {
        if kept.count >= limit { kept.removeFirst(max(1, limit / 2)) }
        kept.append(new)
    }

    private var models: JSONTree {
        let entries = settings.catalogue.names.map { name in
            JSONTree.object([
                "id": .string(name), "object": .string("model"), "created": .integer(0),
                "owned_by": .string("replay"),
            ])
        }
        return .object(["object": .string("list"), "data": .array(entries)])
    }
}

/// What a replay provider answers with, and what it keeps.
package struct ReplaySettings: Sendable {
    package var catalogue = ReplayCatalogue()
    /// How many of the latest requests, and of the latest answers, are kept.
    package var requestLimit = 1_000
    /// The longest request body, in bytes.
    package var bodyByteLimit = 64 << 20

    package init() {}
}

extension HTTPResponse {
    fileprivate static func json(_ status: Int, _ value: JSONTree) -> HTTPResponse {
        HTTPResponse(
            head: ResponseHead(status: status, fields: ["content-type": "application/json"]),
            body: value.encoded ?? []
        )
    }

    fileprivate static func failure(_ status: Int, in format: BodyFormat) -> HTTPResponse {
        HTTPResponse(
            head: ResponseHead(status: status, fields: ["content-type": "application/json"]),
            body: format.errorBody(status: status)
        )
    }
}
