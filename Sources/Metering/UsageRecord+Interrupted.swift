extension UsageRecord {
    /// Fills in what is known of a stretch that its process did not see the end of.
    package mutating func take(_ counters: StretchCounters) {
        durationMilliseconds = Int64(counters.durationMilliseconds)
        endedAtMilliseconds = startedAtMilliseconds + durationMilliseconds
        bytesOut = Int64(clamping: counters.bytesOut)
        bytesRaw = Int64(clamping: counters.bytesRaw)
        inFlightBytes = Int64(counters.inFlightBytes)
        events = Int64(counters.events)
        downtimeMilliseconds = min(durationMilliseconds, Int64(counters.downtimeMilliseconds))
        busyMilliseconds = min(durationMilliseconds, Int64(counters.busyMilliseconds))
        stallProviderMilliseconds = Int64(counters.stallProviderMilliseconds)
        stallClientMilliseconds = Int64(counters.stallClientMilliseconds)
        attempts = Int64(counters.attempts)
        if counters.firstTokenMicroseconds != .max {
            firstTokenMicroseconds = Int64(counters.firstTokenMicroseconds)
        }
        takeLatencies(counters)
        var usage = TokenUsage()
        usage.input = Int64(counters.inputTokens)
        usage.output = Int64(counters.outputTokens)
        usage.cachedInput = Int64(counters.cachedInputTokens)
        usage.cacheWrite = Int64(counters.cacheWriteTokens)
        usage.reasoning = Int64(counters.reasoningTokens)
        self.usage = usage
        isUsageEstimated = counters.isUsageEstimated
    }

    private mutating func takeLatencies(_ counters: StretchCounters) {
        let count = UInt64(counters.latencyCount)
        guard count > 0 else { return }
        latency = LatencySummary(
            mean: Int64(clamping: (counters.latencySumMicroseconds + count / 2) / count),
            minimum: Int64(counters.latencyMinimumMicroseconds),
            maximum: Int64(counters.latencyMaximumMicroseconds)
        )
    }
}
