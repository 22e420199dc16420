/// What one reactor has counted since its start.
package struct GatewayCounters: Sendable {
    package var opened: Int64 = 0
    package var completed: Int64 = 0
    package var failed: Int64 = 0
    /// Streams whose client left or was cut before the end.
    package var dropped: Int64 = 0
    package var events: Int64 = 0
    package var bytes: Int64 = 0
    package var inputTokens: Int64 = 0
    package var outputTokens: Int64 = 0
    package var durationMilliseconds: Int64 = 0
    package var byProvider: [String: ProviderCounters] = [:]
    package var refusals: [String: Int64] = [:]

    package init() {}
}

/// Streams by how they ended, for one provider.
package struct ProviderCounters: Sendable {
    package var completed: Int64 = 0
    package var failed: Int64 = 0
    package var dropped: Int64 = 0

    package init() {}
}
