/// A piece of work that is measured, in two sizes: a small one that every test run does, so that it
/// cannot rot, and a large one that is timed.
package struct Benchmark: Sendable {
    package let name: String
    /// What one iteration is, for the table.
    package let unit: String
    package let smokeCount: Int
    package let fullCount: Int
    /// Does so many iterations.
    ///
    /// Returns a checksum of the results, so that the work can neither vanish nor change unseen.
    package let run: @Sendable (Int) -> Int

    init(
        _ name: String,
        unit: String,
        smoke: Int,
        full: Int,
        run: @escaping @Sendable (Int) -> Int
    ) {
        self.name = name
        self.unit = unit
        smokeCount = smoke
        fullCount = full
        self.run = run
    }

    /// All of them, in the order of the table.
    package static let all: [Benchmark] = [
        .decode(
            "decode OpenAI deltas",
            body: "openai/chat-long-text-no-usage",
            dialect: .openAI,
            mode: .deltas
        ),
        .decode(
            "pass OpenAI events on",
            body: "openai/chat-long-text-no-usage",
            dialect: .openAI,
            mode: .raw(model: "gpt-4", includesUsage: false)
        ),
        .decode(
            "decode Anthropic deltas",
            body: "anthropic/thinking",
            dialect: .anthropic,
            mode: .deltas
        ),
        .logAndRead,
        .seal,
        .meter,
        .meterMany,
        .meterAndKeep,
        .parseRequestHead,
    ]
}
