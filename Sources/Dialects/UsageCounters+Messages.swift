import StreamBytes

extension UsageCounters {
    /// Reads Anthropic's usage object, whose counters are cumulative.
    mutating func readMessageUsage(
        _ data: Span<UInt8>,
        _ json: inout JSONReader
    ) throws(JSONError) {
        guard try json.peek(data) == .object else {
            try json.skipValue(data)
            return
        }
        var found = Self()
        try json.beginObject(data)
        while let name = try json.nextMember(data) {
            if name.equals("input_tokens", in: data) {
                found.input = try json.readIntegerIfAny(data)
            } else if name.equals("output_tokens", in: data) {
                found.output = try json.readIntegerIfAny(data)
            } else if name.equals("cache_read_input_tokens", in: data) {
                found.cachedInput = try json.readIntegerIfAny(data)
            } else if name.equals("cache_creation_input_tokens", in: data) {
                found.cacheWrite = try json.readIntegerIfAny(data)
            } else if name.equals("output_tokens_details", in: data) {
                try found.readThinkingTokens(data, &json)
            } else {
                try json.skipValue(data)
            }
        }
        take(found)
    }

    private mutating func readThinkingTokens(
        _ data: Span<UInt8>,
        _ json: inout JSONReader
    ) throws(JSONError) {
        guard try json.peek(data) == .object else {
            try json.skipValue(data)
            return
        }
        try json.beginObject(data)
        while let name = try json.nextMember(data) {
            if name.equals("thinking_tokens", in: data) {
                reasoning = try json.readIntegerIfAny(data)
            } else {
                try json.skipValue(data)
            }
        }
    }
}
