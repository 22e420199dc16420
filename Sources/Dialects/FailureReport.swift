import StreamBytes

/// The few words of an error object that decide what it means.
struct FailureReport {
    struct Kind {
        let code: ErrorCode
        let isRetryable: Bool
    }

    private(set) var message = ""
    private(set) var type = ""
    private(set) var code = ""
    /// An HTTP status that the object itself names.
    private(set) var status: Int?

    var isEmpty: Bool { message.isEmpty && type.isEmpty && code.isEmpty }

    /// Reads `{"error":{…}}`, `{"error":"…","code":…}` or the inner object itself.
    init(_ text: Span<UInt8>) {
        do {
            let root = try JSONValue(parsing: text, depthLimit: 32)
            switch root.member("error", in: text) {
            case let error? where error.kind == .object: read(error, in: text)
            case let error? where error.kind == .string:
                read(root, in: text)
                message = error.text(in: text) ?? ""
            default: read(root, in: text)
            }
        } catch {
            message = ""
        }
    }

    private mutating func read(_ object: JSONValue, in text: Span<UInt8>) {
        for member in object.members(in: text) {
            let word = member.value.text(in: text)
            if member.name.equals("message", in: text) {
                message = word ?? message
            } else if member.name.equals("detail", in: text), message.isEmpty {
                message = word ?? message
            } else if member.name.equals("type", in: text) {
                type = word ?? type
            } else if member.name.equals("code", in: text) {
                let number = member.value.integer(in: text)
                code = word ?? number.map { String($0) } ?? ""
                readStatus(number)
            } else if member.name.equals("status_code", in: text)
                || member.name.equals("status", in: text)
            {
                readStatus(member.value.integer(in: text))
            } else if member.name.equals("details", in: text) {
                let reason = member.value.member("error_code", in: text)?.text(in: text)
                if code.isEmpty { code = reason ?? "" }
            }
        }
    }

    private mutating func readStatus(_ number: Int64?) {
        guard let number, (400...599).contains(number) else { return }
        status = Int(number)
    }

    /// What the failure means to a client.
    func kind(status: Int?) -> Kind {
        if let kind = kindOfWords ?? status.flatMap({ kindOf($0) }) { return kind }
        return type.contains("invalid_request")
            ? Kind(code: .badRequest, isRetryable: false)
            : Kind(code: .upstreamRefused, isRetryable: true)
    }

    /// Words outrank the status: providers use 400 and 500 for nearly everything.
    private var kindOfWords: Kind? {
        let words = "\(type) \(code)".lowercased()
        let text = message.lowercased()
        if isContextLength(words, text) { return Kind(code: .contextLength, isRetryable: false) }
        if words.contains("content_filter") || words.contains("content_policy")
            || words.contains("responsibleaipolicyviolation")
        {
            return Kind(code: .contentFilter, isRetryable: false)
        }
        if words.contains("insufficient_quota") || words.contains("spend_limit")
            || words.contains("billing")
        {
            return Kind(code: .upstreamRefused, isRetryable: false)
        }
        if isKeyTrouble(words, text) { return Kind(code: .upstreamRefused, isRetryable: false) }
        if words.contains("rate_limit") || words.contains("ratelimit") {
            return Kind(code: .rateLimited, isRetryable: true)
        }
        if words.contains("overloaded") { return Kind(code: .overloaded, isRetryable: true) }
        if words.contains("timeout") { return Kind(code: .upstreamStalled, isRetryable: true) }
        if words.contains("model_not_found") || words.contains("not_found_error") {
            return Kind(code: .modelNotFound, isRetryable: false)
        }
        return nil
    }

    private func isContextLength(_ words: String, _ text: String) -> Bool {
        words.contains("context_length") || words.contains("too_many_prompt_tokens")
            || text.contains("maximum context length") || text.contains("context window")
            || text.contains("max context length") || text.contains("context length exceeded")
            || text.contains("prompt is too long") || text.contains("prompt too long")
            || (text.contains("input token count") && text.contains("exceeds"))
    }

    private func isKeyTrouble(_ words: String, _ text: String) -> Bool {
        words.contains("invalid_api_key") || words.contains("authentication")
            || words.contains("permission_error") || text.contains("incorrect api key")
            || text.contains("invalid api key")
    }

    private func kindOf(_ status: Int) -> Kind? {
        switch status {
        case 401...403: Kind(code: .upstreamRefused, isRetryable: false)
        case 404: Kind(code: .modelNotFound, isRetryable: false)
        case 408, 504: Kind(code: .upstreamStalled, isRetryable: true)
        case 409, 425: Kind(code: .upstreamRefused, isRetryable: true)
        case 429: Kind(code: .rateLimited, isRetryable: true)
        case 503, 529: Kind(code: .overloaded, isRetryable: true)
        case 400...499: Kind(code: .badRequest, isRetryable: false)
        case 500...599: Kind(code: .upstreamRefused, isRetryable: true)
        default: Kind(code: .upstreamRefused, isRetryable: false)
        }
    }
}
