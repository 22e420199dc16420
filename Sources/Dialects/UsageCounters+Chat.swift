import StreamBytes

extension UsageCounters {
    /// Reads OpenAI's usage object; returns whether it held any counter.
    mutating func readChatUsage(
        _ data: Span<UInt8>,
        _ json: inout JSONReader
    ) throws(JSONError) -> Bool {
        guard try json.peek(data) == .object else {
            try json.skipValue(data)
            return false
        }
        var found = Self()
        var cacheHit: Int64?
        try json.beginObject(data)
        while let name = try json.nextMember(data) {
            if name.equals("prompt_tokens", in: data) {
                found.input = try json.readIntegerIfAny(data)
            } else if name.equals("completion_tokens", in: data) {
                found.output = try json.readIntegerIfAny(data)
            } else if name.equals("total_tokens", in: data) {
                found.total = try json.readIntegerIfAny(data)
            } else if name.equals("prompt_cache_hit_tokens", in: data) {
                cacheHit = try json.readIntegerIfAny(data)
            } else if name.equals("prompt_tokens_details", in: data)
                || name.equals("completion_tokens_details", in: data)
            {
                try found.readChatDetails(data, &json)
            } else {
                try json.skipValue(data)
            }
        }
        found.cachedInput = found.cachedInput ?? cacheHit
        take(found)
        return !found.isEmpty
    }

    private mutating func readChatDetails(
        _ data: Span<UInt8>,
        _ json: inout JSONReader
    ) throws(JSONError) {
        guard try json.peek(data) == .object else {
            try json.skipValue(data)
            return
        }
        try json.beginObject(data)
        while let name = try json.nextMember(data) {
            if name.equals("cached_tokens", in: data) {
                cachedInput = try json.readIntegerIfAny(data)
            } else if name.equals("cache_write_tokens", in: data) {
                cacheWrite = try json.readIntegerIfAny(data)
            } else if name.equals("reasoning_tokens", in: data) {
                reasoning = try json.readIntegerIfAny(data)
            } else {
                try json.skipValue(data)
            }
        }
    }

    /// Takes over each counter that `later` has.
    mutating func take(_ later: Self) {
        input = later.input ?? input
        output = later.output ?? output
        cachedInput = later.cachedInput ?? cachedInput
        cacheWrite = later.cacheWrite ?? cacheWrite
        reasoning = later.reasoning ?? reasoning
        total = later.total ?? total
    }
}
