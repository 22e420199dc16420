import StreamBytes

/// What a provider said, or did, when it failed.
package struct ProviderFailure: Error, Equatable, Sendable {
    package var code: ErrorCode
    /// For the client; holds nothing that looks like a key and is at most `messageLimit` bytes.
    package var message: String
    /// The provider's own word for the kind of error; empty if it gave none.
    package var type: String
    /// The provider's own code; empty if it gave none.
    package var providerCode: String
    /// Whether the same request may succeed if it is sent again, here or elsewhere.
    package var isRetryable: Bool
    /// Whether `message` is the provider's own, which may repeat what the client asked.
    package private(set) var quotesProvider = false

    package static let messageLimit = 1_000
    private static let wordLimit = 100

    package init(
        code: ErrorCode,
        message: String,
        type: String = "",
        providerCode: String = "",
        isRetryable: Bool
    ) {
        self.code = code
        self.message = SecretScrubber.scrub(message, byteLimit: Self.messageLimit)
        self.type = SecretScrubber.scrub(type, byteLimit: Self.wordLimit)
        self.providerCode = SecretScrubber.scrub(providerCode, byteLimit: Self.wordLimit)
        self.isRetryable = isRetryable
    }

    /// Reads an HTTP error answer.
    ///
    /// - Parameters:
    ///   - status: from 300 to 599.
    ///   - body: JSON in the dialect's form, or anything else.
    ///   - dialect: what the provider speaks.
    package init(status: Int, body: [UInt8], dialect: Dialect) {
        let report = FailureReport(body.span)
        self.init(report, status: status, kind: report.kind(status: status))
    }

    /// Reads an error event of a stream that began well.
    init(inBand data: Span<UInt8>, dialect: Dialect) {
        let report = FailureReport(data)
        let status = report.status
        self.init(report, status: status, kind: report.kind(status: status))
    }

    /// Reads a body that should have been an event stream and is none.
    init(notAnEventStream text: [UInt8], dialect: Dialect) {
        let report = FailureReport(text.span)
        guard !report.isEmpty else {
            self = .unreadable("the provider's answer is no event stream")
            return
        }
        self.init(report, status: report.status, kind: report.kind(status: report.status))
    }

    private init(_ report: FailureReport, status: Int?, kind: FailureReport.Kind) {
        let fallback = status.map { "the provider answered \($0)" } ?? "the provider failed"
        self.init(
            code: kind.code,
            message: report.message.isEmpty ? fallback : report.message,
            type: report.type,
            providerCode: report.code,
            isRetryable: kind.isRetryable
        )
        quotesProvider = !report.message.isEmpty
    }

    /// Bytes that are not what a provider of the dialect sends.
    static func unreadable(_ message: String) -> Self {
        Self(code: .upstreamTruncated, message: message, isRetryable: true)
    }

    /// The same failure without the given secrets in its texts.
    ///
    /// - Parameter secrets: keys that the request carried.
    /// - Returns: a failure whose texts may be shown and logged.
    package func scrubbed(of secrets: [String]) -> Self {
        var result = self
        for secret in secrets {
            result.message = SecretScrubber.remove(secret, from: result.message)
            result.type = SecretScrubber.remove(secret, from: result.type)
            result.providerCode = SecretScrubber.remove(secret, from: result.providerCode)
        }
        return result
    }
}
