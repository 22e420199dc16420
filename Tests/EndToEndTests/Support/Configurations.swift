import Replay

/// A configuration whose provider is a `weir-replay`.
///
/// Each model costs nothing unless `prices` names its price.
func configuration(
    providers: [(name: String, dialect: String, url: String)],
    models: [(name: String, provider: String, upstream: String)],
    prices: [String: String] = [:]
) -> String {
    var lines = ["providers:"]
    for provider in providers {
        lines.append(
            "  - { name: \(provider.name), dialect: \(provider.dialect), baseURL: \"\(provider.url)\" }"
        )
    }
    lines.append("models:")
    for model in models {
        let price = prices[model.name] ?? "free"
        lines.append(
            "  - { name: \"\(model.name)\", price: \"\(price)\", "
                + "route: [{ provider: \(model.provider), model: \"\(model.upstream)\" }] }"
        )
    }
    return lines.joined(separator: "\n") + "\n"
}

/// Two providers, one for each dialect, that are one `weir-replay`, and a model for every name.
func replayConfiguration(
    _ url: String,
    openAI: [String] = [],
    anthropic: [String] = [],
    prices: [String: String] = [:]
) -> String {
    configuration(
        providers: [
            ("replay", "openai", "\(url)/v1"), ("replay-anthropic", "anthropic", "\(url)/v1"),
        ],
        models: openAI.map { ($0, "replay", $0) }
            + anthropic.map { ($0, "replay-anthropic", $0) },
        prices: prices
    )
}
