import Metering

/// A provider's own counters, each the last that came.
struct UsageCounters: Sendable {
    var input: Int64?
    var output: Int64?
    var cachedInput: Int64?
    var cacheWrite: Int64?
    var reasoning: Int64?
    var total: Int64?

    var isEmpty: Bool {
        input == nil && output == nil && cachedInput == nil && cacheWrite == nil
            && reasoning == nil && total == nil
    }

    /// The counters as they were sent, 0 for what was not; nil if there were none.
    var reported: TokenUsage? {
        guard !isEmpty else { return nil }
        var usage = TokenUsage()
        usage.input = max(0, input ?? 0)
        usage.output = max(0, output ?? 0)
        usage.cachedInput = max(0, cachedInput ?? 0)
        usage.cacheWrite = max(0, cacheWrite ?? 0)
        usage.reasoning = max(0, reasoning ?? 0)
        return usage
    }

    /// The counters in the one form of the meter: input includes what was read from or written to
    /// a cache, output includes reasoning, and no part is larger than its whole.
    func normalised(_ dialect: Dialect) -> TokenUsage? {
        guard var usage = reported else { return nil }
        switch dialect {
        case .openAI:
            // Some providers leave reasoning out of the output; their total shows it.
            if usage.reasoning > 0,
                total == saturatingSum(usage.input, usage.output, usage.reasoning)
            {
                usage.output = saturatingSum(usage.output, usage.reasoning)
            }
        case .anthropic:
            usage.input = saturatingSum(usage.input, usage.cachedInput, usage.cacheWrite)
        }
        usage.cachedInput = min(usage.cachedInput, usage.input)
        usage.cacheWrite = min(usage.cacheWrite, usage.input - usage.cachedInput)
        usage.reasoning = min(usage.reasoning, usage.output)
        return usage
    }

    private func saturatingSum(_ numbers: Int64...) -> Int64 {
        numbers.reduce(0) { sum, number in
            let (result, overflow) = sum.addingReportingOverflow(number)
            return overflow ? .max : result
        }
    }
}
