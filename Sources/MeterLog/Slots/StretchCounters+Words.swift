import Metering

extension StretchCounters {
    /// The counters as they stand in a slot.
    var words: CounterWords {
        [
            bytesOut, bytesRaw, latencySumMicroseconds,
            Self.word(inFlightBytes, events),
            Self.word(durationMilliseconds, busyMilliseconds),
            Self.word(downtimeMilliseconds, stallProviderMilliseconds),
            Self.word(stallClientMilliseconds, firstTokenMicroseconds),
            Self.word(attempts, latencyCount),
            Self.word(latencyMinimumMicroseconds, latencyMaximumMicroseconds),
            Self.word(inputTokens, outputTokens),
            Self.word(cachedInputTokens, cacheWriteTokens),
            Self.word(reasoningTokens, isUsageEstimated ? 1 : 0),
        ]
    }

    init(_ words: CounterWords) {
        self.init()
        bytesOut = words[0]
        bytesRaw = words[1]
        latencySumMicroseconds = words[2]
        (inFlightBytes, events) = Self.halves(words[3])
        (durationMilliseconds, busyMilliseconds) = Self.halves(words[4])
        (downtimeMilliseconds, stallProviderMilliseconds) = Self.halves(words[5])
        (stallClientMilliseconds, firstTokenMicroseconds) = Self.halves(words[6])
        (attempts, latencyCount) = Self.halves(words[7])
        (latencyMinimumMicroseconds, latencyMaximumMicroseconds) = Self.halves(words[8])
        (inputTokens, outputTokens) = Self.halves(words[9])
        (cachedInputTokens, cacheWriteTokens) = Self.halves(words[10])
        let flags: UInt32
        (reasoningTokens, flags) = Self.halves(words[11])
        isUsageEstimated = flags & 1 == 1
    }

    @inline(__always)
    private static func word(_ low: UInt32, _ high: UInt32) -> UInt64 {
        UInt64(low) | UInt64(high) << 32
    }

    private static func halves(_ word: UInt64) -> (UInt32, UInt32) {
        (UInt32(truncatingIfNeeded: word), UInt32(truncatingIfNeeded: word >> 32))
    }
}
