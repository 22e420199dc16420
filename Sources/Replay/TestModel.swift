/// Models that fail in a chosen way, so that a front end's every failure state can be tried without
/// a key and without cost.
package enum TestModel: String, Sendable, CaseIterable {
    /// The connection is closed after 40 events.
    case cut40 = "test/cut-40"
    /// The head comes at once, the first event after ten seconds.
    case slowFirstToken = "test/slow-first-token"
    /// Nothing comes after 20 events, and the connection stays open.
    case stall = "test/stall"
    /// Nothing comes for 60 seconds after 20 events, then the rest.
    case silent60s = "test/silent-60s"
    case status429 = "test/429"
    case status500 = "test/500"
    /// A good head, then bytes without meaning.
    case garbage = "test/garbage"
    /// The whole text, without the events that say why it ended and that it did.
    case noEnd = "test/no-end"

    /// What the model does, in the form of that protocol.
    package func plan(in format: BodyFormat) -> ReplayPlan? {
        let name =
            format == .anthropicMessages
            ? "anthropic/text-emoji" : "openai/chat-long-text-no-usage"
        guard let body = EmbeddedBodies.named(name) else { return nil }
        var plan = ReplayPlan(body: body)
        plan.pace = .events(perSecond: 40)
        plan.fault = fault
        if self == .noEnd {
            // In both protocols the reason for the end and the end itself are the last two events.
            plan.fault = .cut(after: .events(body.pieces.count - 2))
        }
        return plan
    }

    private var fault: ReplayFault? {
        switch self {
        case .cut40: .cut(after: .events(40))
        case .slowFirstToken: .slowFirstToken(.seconds(10))
        case .stall: .stall(after: .events(20))
        case .silent60s: .silence(after: .events(20), for: .seconds(60))
        case .status429: .refusal(status: 429, retryAfterSeconds: 2)
        case .status500: .refusal(status: 500, retryAfterSeconds: nil)
        case .garbage: .garbage(byteCount: 4_096)
        case .noEnd: nil
        }
    }
}
