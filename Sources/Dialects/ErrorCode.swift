import StreamBytes

/// What a client is told went wrong; a closed list.
package enum ErrorCode: String, Sendable, CaseIterable {
    case badRequest = "bad_request"
    case unauthorized
    case modelNotFound = "model_not_found"
    case rateLimited = "rate_limited"
    case overloaded
    case upstreamUnreachable = "upstream_unreachable"
    case upstreamRefused = "upstream_refused"
    case upstreamStalled = "upstream_stalled"
    case upstreamTruncated = "upstream_truncated"
    case contentFilter = "content_filter"
    case contextLength = "context_length"
    case slowClient = "slow_client"
    case streamGone = "stream_gone"
    case budget
    case `internal`

    /// The HTTP status of an answer that has nothing but this error.
    package var status: Int {
        switch self {
        case .badRequest, .contentFilter, .contextLength: 400
        case .unauthorized: 401
        case .modelNotFound, .streamGone: 404
        case .rateLimited, .budget: 429
        case .upstreamUnreachable, .upstreamRefused, .upstreamTruncated: 502
        case .upstreamStalled: 504
        case .overloaded: 503
        case .slowClient, .internal: 500
        }
    }

    /// The `type` of OpenAI's error object.
    package var openAIType: StaticString {
        switch self {
        case .badRequest, .contentFilter, .contextLength, .modelNotFound, .streamGone:
            "invalid_request_error"
        case .unauthorized: "authentication_error"
        case .rateLimited: "rate_limit_error"
        case .budget: "insufficient_quota"
        default: "server_error"
        }
    }

    /// The `code` of OpenAI's error object.
    package var openAICode: StaticString {
        switch self {
        case .badRequest: "bad_request"
        case .unauthorized: "invalid_api_key"
        case .modelNotFound: "model_not_found"
        case .rateLimited: "rate_limit_exceeded"
        case .overloaded: "overloaded"
        case .upstreamUnreachable, .upstreamRefused, .upstreamTruncated: "upstream_error"
        case .upstreamStalled: "upstream_timeout"
        case .contentFilter: "content_filter"
        case .contextLength: "context_length_exceeded"
        case .slowClient: "slow_client"
        case .streamGone: "stream_gone"
        case .budget: "insufficient_quota"
        case .internal: "internal_error"
        }
    }

    /// Appends OpenAI's error body: `{"error":{"message","type","param","code"}}`.
    package func appendOpenAIError(
        message: String,
        param: String? = nil,
        to output: inout [UInt8]
    ) {
        output.append(#"{"error":{"message":"#)
        output.append(jsonString: message)
        output.append(#","type":""#)
        output.append(openAIType)
        output.append(#"","param":"#)
        if let param { output.append(jsonString: param) } else { output.append("null") }
        output.append(#","code":""#)
        output.append(openAICode)
        output.append(#""}}"#)
    }
}
