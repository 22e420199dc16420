import StreamBytes

/// Reads the contents of OpenAI's deltas that are arrays of parts.
enum ContentParts {
    /// Reads a `content` that is an array of parts, as Mistral sends it.
    static func read(
        _ data: Span<UInt8>,
        at start: Int,
        isPassed: Bool,
        _ answer: inout Answer,
        _ batch: inout DeltaBatch
    ) throws(JSONError) {
        var json = JSONReader(at: start)
        try json.beginArray(data)
        while try json.nextElement(data) {
            guard try json.peek(data) == .object else {
                try json.skipValue(data)
                continue
            }
            try json.beginObject(data)
            while let name = try json.nextMember(data) {
                let kind = try json.peek(data)
                if name.equals("text", in: data), let piece = try json.readStringIfAny(data) {
                    answer.take(.text, piece, of: data, isPassed: isPassed, &batch)
                } else if name.equals("thinking", in: data), kind == .string {
                    let piece = try json.readString(data)
                    answer.take(.reasoning, piece, of: data, isPassed: isPassed, &batch)
                } else if name.equals("thinking", in: data), kind == .array {
                    try readThinking(data, &json, isPassed: isPassed, &answer, &batch)
                } else if !name.equals("text", in: data) {
                    try json.skipValue(data)
                }
            }
        }
    }

    private static func readThinking(
        _ data: Span<UInt8>,
        _ json: inout JSONReader,
        isPassed: Bool,
        _ answer: inout Answer,
        _ batch: inout DeltaBatch
    ) throws(JSONError) {
        try json.beginArray(data)
        while try json.nextElement(data) {
            guard try json.peek(data) == .object else {
                try json.skipValue(data)
                continue
            }
            try json.beginObject(data)
            while let name = try json.nextMember(data) {
                if name.equals("text", in: data), let piece = try json.readStringIfAny(data) {
                    answer.take(.reasoning, piece, of: data, isPassed: isPassed, &batch)
                } else if !name.equals("text", in: data) {
                    try json.skipValue(data)
                }
            }
        }
    }
}
