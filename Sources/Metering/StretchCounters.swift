/// What a running stretch has added up so far: as much as can be kept outside the process at each
/// event.
///
/// A number that does not fit stays at the largest that does.
package struct StretchCounters: Equatable, Sendable {
    /// Bytes of the body that the kernel has taken for certain.
    package var bytesOut: UInt64 = 0
    package var bytesRaw: UInt64 = 0
    package var latencySumMicroseconds: UInt64 = 0
    /// Bytes handed to the kernel of which it is not known whether it took them.
    package var inFlightBytes: UInt32 = 0
    package var events: UInt32 = 0
    package var durationMilliseconds: UInt32 = 0
    package var busyMilliseconds: UInt32 = 0
    package var downtimeMilliseconds: UInt32 = 0
    package var stallProviderMilliseconds: UInt32 = 0
    package var stallClientMilliseconds: UInt32 = 0
    /// `UInt32.max`: none yet in this stretch.
    package var firstTokenMicroseconds = UInt32.max
    package var attempts: UInt32 = 0
    package var latencyCount: UInt32 = 0
    package var latencyMinimumMicroseconds: UInt32 = 0
    package var latencyMaximumMicroseconds: UInt32 = 0
    /// Tokens of the whole stream so far.
    package var inputTokens: UInt32 = 0
    package var outputTokens: UInt32 = 0
    package var cachedInputTokens: UInt32 = 0
    package var cacheWriteTokens: UInt32 = 0
    package var reasoningTokens: UInt32 = 0
    /// Whether those tokens are counted here, not reported by the provider.
    package var isUsageEstimated = false

    package init() {}

    /// Sets the tokens of the stream so far.
    package mutating func take(_ tokens: TokenUsage, isEstimated: Bool) {
        inputTokens = UInt32(clamping: tokens.input)
        outputTokens = UInt32(clamping: tokens.output)
        cachedInputTokens = UInt32(clamping: tokens.cachedInput)
        cacheWriteTokens = UInt32(clamping: tokens.cacheWrite)
        reasoningTokens = UInt32(clamping: tokens.reasoning)
        isUsageEstimated = isEstimated
    }
}
