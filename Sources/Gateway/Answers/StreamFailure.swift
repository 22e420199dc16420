import Dialects
import Providers
import StreamBytes

/// What went wrong, as clients are told: no secrets, no bytes that a provider could forge.
struct StreamFailure: Error, Sendable {
    let code: ErrorCode
    let message: String
    /// The same for the log, which never repeats what a client asked.
    let logReason: String
    /// The field of the request that is to blame.
    var param: String?
    /// When to try again, in the provider's own form (`Retry-After`).
    var retryAfter: String?

    init(_ code: ErrorCode, _ message: String, param: String? = nil) {
        self.code = code
        self.message = message
        self.param = param
        logReason = message
    }

    /// What a provider said of itself, without the key that it was sent.
    init(_ failure: ProviderFailure, key: String?, retryAfter: String? = nil) {
        let failure = failure.scrubbed(of: key.map { [$0] } ?? [])
        code = failure.code
        message = failure.message
        logReason = failure.quotesProvider ? failure.kindForLog : failure.message
        self.retryAfter = retryAfter.flatMap { $0.utf8.count <= 40 ? $0 : nil }
    }

    /// What was seen of a provider that gave no usable answer.
    init(provider: String, _ end: ProviderEnd) {
        switch end {
        case .failed(let trouble):
            self.init(trouble.code, "the provider \(provider) gave no answer: \(trouble.summary)")
        case .complete, .truncated:
            self.init(
                .upstreamTruncated,
                "the provider \(provider) ended its answer before it was whole"
            )
        }
    }

    /// Whether the same request may succeed later.
    var isRetryable: Bool {
        switch code {
        case .rateLimited, .overloaded, .upstreamUnreachable, .upstreamStalled, .upstreamTruncated,
            .slowClient, .internal:
            true
        default: false
        }
    }

    /// The data of Weir's `error` event.
    var eventData: [UInt8] {
        var data: [UInt8] = []
        data.append(#"{"code":""#)
        data.append(contentsOf: code.rawValue.utf8)
        data.append(#"","message":"#)
        data.append(jsonString: message)
        data.append(#","retryable":"#)
        data.append(isRetryable ? "true}" : "false}")
        return data
    }

    /// OpenAI's error object, as a body or as the data of an event.
    var openAIBody: [UInt8] {
        var body: [UInt8] = []
        code.appendOpenAIError(message: message, param: param, to: &body)
        return body
    }
}

extension ProviderFailure {
    /// The provider's words for the kind of error, where they are such words.
    fileprivate var kindForLog: String {
        let words = [type, providerCode].filter { word in
            (1...40).contains(word.utf8.count)
                && word.utf8.allSatisfy { (0x61...0x7A).contains($0) || $0 == 0x5F }
        }
        return words.isEmpty
            ? "the provider told the client why"
            : "the provider's error: \(words.joined(separator: ", "))"
    }
}

extension ProviderTrouble {
    fileprivate var code: ErrorCode {
        switch self {
        case .nameNotFound, .unreachable, .connectTimedOut, .noAnswer: .upstreamUnreachable
        case .firstByteTimedOut, .silent: .upstreamStalled
        case .badAnswer: .upstreamRefused
        case .unsendable: .internal
        }
    }
}
