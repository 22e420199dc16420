import HTTPServer
import HTTPWire
import Replay

/// A request for an answer, as it was received.
package struct ReceivedRequest: Sendable, Equatable {
    package let head: RequestHead
    package let body: [UInt8]
    /// Nil where the body names none.
    package let model: String?
    /// Nil where the body does not say.
    package let stream: Bool?
    /// Whom the request is for: OpenAI's `user`, Anthropic's `metadata.user_id`; nil where the body
    /// does not say.
    package let user: String?
}

/// What a request asks for.
struct ReplayQuestion {
    let received: ReceivedRequest
    /// The protocol of the path.
    let format: BodyFormat
    let wantsStream: Bool
    /// Events a second and seconds that a load tool asks for in `metadata`, as `replay_rate` and
    /// `replay_seconds`.
    let rate: Double?
    let seconds: Double?

    init(_ request: HTTPRequest) {
        let body = JSONTree(parsing: request.body)
        let stream = body?["stream"]?.boolean
        received = ReceivedRequest(
            head: request.head,
            body: request.body,
            model: body?["model"]?.string,
            stream: stream,
            user: body?["user"]?.string ?? body?["metadata"]?["user_id"]?.string
        )
        let isMessages = request.head.path.hasSuffix("/messages")
        format = isMessages ? .anthropicMessages : .openAIChat
        // These two protocols answer whole unless asked to stream; others stream by default.
        let isKnown = isMessages || request.head.path.hasSuffix("/chat/completions")
        wantsStream = stream ?? !isKnown
        rate = Self.number("replay_rate", in: body, upTo: 1_000_000)
        seconds = Self.number("replay_seconds", in: body, upTo: 86_400)
    }

    private static func number(
        _ name: String,
        in body: JSONTree?,
        upTo limit: Double
    ) -> Double? {
        guard let number = body?["metadata"]?[name]?.string.flatMap({ Double($0) }), number > 0,
            number <= limit
        else { return nil }
        return number
    }

    /// The plan with the pace and the length that the request asks for.
    func paced(_ plan: ReplayPlan) -> ReplayPlan {
        guard let rate else { return plan }
        var plan = plan
        plan.pace = .events(perSecond: rate)
        let repeatableCount = plan.body.repeatablePieces.count
        guard let seconds, repeatableCount > 0 else { return plan }
        let rest = rate * seconds - Double(plan.body.pieces.count)
        plan.loops = 1 + max(0, Int((rest / Double(repeatableCount)).rounded(.up)))
        return plan
    }
}
