/// Which plan answers which model.
package struct ReplayCatalogue: Sendable {
    /// Plans of its own, by model; they come before everything else.
    package var plans: [String: ReplayPlan] = [:]
    /// The plan for every model that is not known; nil: such a model is refused.
    package var standard: ReplayPlan?

    /// The demonstration models, the test models and the embedded bodies.
    package init() {}

    /// The names of the demonstration's models: whole recorded answers at a human pace.
    package static let demonstrationModels = ["demo", "demo-long", "demo-emoji", "demo-thinking"]

    /// Every name that is answered, in order.
    package var names: [String] {
        Self.demonstrationModels + TestModel.allCases.map(\.rawValue)
            + EmbeddedBodies.all.map(\.name) + plans.keys.sorted()
    }

    /// Returns what answers `model`.
    ///
    /// - Parameters:
    ///   - model: the request's model; nil where the request names none.
    ///   - format: the protocol of the request, for models that have an answer in several.
    /// - Returns: nil for a model that is not known.
    package func plan(for model: String?, in format: BodyFormat) -> ReplayPlan? {
        guard let model else { return standard }
        return plans[model] ?? TestModel(rawValue: model)?.plan(in: format)
            ?? Self.demonstration(model, in: format)
            ?? EmbeddedBodies.named(model).map { ReplayPlan(body: $0) } ?? standard
    }

    private static func demonstration(_ model: String, in format: BodyFormat) -> ReplayPlan? {
        let isAnthropic = format == .anthropicMessages
        let name: String? =
            switch model {
            case "demo": isAnthropic ? "anthropic/text-emoji" : "ollama/v1-text-utf8"
            case "demo-emoji": isAnthropic ? "anthropic/text-emoji" : "deepseek/chat-emoji"
            case "demo-long": "openai/chat-long-text-no-usage"
            case "demo-thinking": "anthropic/thinking"
            default: nil
            }
        guard let body = name.flatMap(EmbeddedBodies.named) else { return nil }
        var plan = ReplayPlan(body: body)
        plan.pace = .events(perSecond: 25)
        return plan
    }
}
