import StreamBytes

/// The top-level members of a request, each at most once.
struct RequestFields {
    let members: [JSONValue.Member]
    private let values: [[UInt8]: JSONValue]

    init(_ body: Span<UInt8>) throws(ChatRequestError) {
        guard body.isUTF8(in: 0..<body.count) else {
            throw ChatRequestError("the body is not UTF-8")
        }
        let root: JSONValue
        do {
            root = try JSONValue(parsing: body)
        } catch {
            throw ChatRequestError("the body is not valid JSON: \(error)")
        }
        guard root.kind == .object else { throw ChatRequestError("the body is no JSON object") }
        members = root.members(in: body)
        var values: [[UInt8]: JSONValue] = [:]
        for member in members {
            let name = member.name.unescaped(in: body)
            guard values.updateValue(member.value, forKey: name) == nil else {
                let text = String(decoding: name.prefix(100), as: UTF8.self)
                throw ChatRequestError("\(text) is given twice", param: text)
            }
        }
        self.values = values
    }

    /// The value of a field; nil if it is absent or null.
    subscript(_ name: String) -> JSONValue? {
        guard let value = values[Array(name.utf8)], value.kind != .null else { return nil }
        return value
    }

    func text(
        _ name: String,
        limit: Int,
        in body: Span<UInt8>
    ) throws(ChatRequestError) -> String? {
        guard let value = self[name] else { return nil }
        guard let text = value.text(in: body) else {
            throw ChatRequestError("\(name) must be a string", param: name)
        }
        guard text.utf8.count <= limit else {
            throw ChatRequestError("\(name) is longer than \(limit) bytes", param: name)
        }
        return text
    }

    func requiredText(
        _ name: String,
        limit: Int,
        in body: Span<UInt8>
    ) throws(ChatRequestError) -> String {
        guard let text = try text(name, limit: limit, in: body), !text.isEmpty else {
            throw ChatRequestError("\(name) is missing", param: name)
        }
        return text
    }

    func bool(_ name: String, in body: Span<UInt8>) throws(ChatRequestError) -> Bool? {
        guard let value = self[name] else { return nil }
        guard let bool = value.bool(in: body) else {
            throw ChatRequestError("\(name) must be true or false", param: name)
        }
        return bool
    }

    func object(_ name: String, in body: Span<UInt8>) throws(ChatRequestError) -> JSONValue? {
        guard let value = self[name] else { return nil }
        guard value.kind == .object else {
            throw ChatRequestError("\(name) must be an object", param: name)
        }
        return value
    }

    func count(_ name: String, in body: Span<UInt8>) throws(ChatRequestError) -> Int64? {
        guard let value = self[name] else { return nil }
        guard let number = value.integer(in: body), number > 0 else {
            throw ChatRequestError("\(name) must be a positive whole number", param: name)
        }
        return number
    }

    /// The newer name of the limit outranks the older one.
    func outputTokenLimit(in body: Span<UInt8>) throws(ChatRequestError) -> Int64? {
        if let limit = try count("max_completion_tokens", in: body) { return limit }
        return try count("max_tokens", in: body)
    }

    func number(_ name: String) throws(ChatRequestError) -> Range<Int>? {
        guard let value = self[name] else { return nil }
        guard value.kind == .number else {
            throw ChatRequestError("\(name) must be a number", param: name)
        }
        return value.range
    }
}

extension RequestFields {
    /// The body as received but for the fields that Weir decides.
    func chatBody(
        model: String,
        streams: Bool,
        asksForUsage: Bool,
        from body: Span<UInt8>
    ) -> [UInt8] {
        var output: [UInt8] = []
        output.reserveCapacity(body.count + 128)
        var keptEnd: Int?
        var keptPlace = 0
        var hasStream = false
        var hasOptions = false
        for (place, member) in members.enumerated() {
            let isOptions = member.name.equals("stream_options", in: body)
            let isOwn = ["purpose", "seal"].contains { member.name.equals($0, in: body) }
            if isOwn || isOptions && !streams { continue }
            if let keptEnd, keptPlace == place - 1 {
                output.append(body, keptEnd..<member.range.lowerBound)
            } else {
                // As received up to the first member; else what stood between is gone.
                let isFirst = keptEnd == nil
                if isFirst { output.append(body, 0..<members[0].range.lowerBound) }
                if !isFirst { output.append(0x2C) }
            }
            output.append(body, member.range.lowerBound..<member.value.range.lowerBound)
            if member.name.equals("model", in: body) {
                output.append(jsonString: model)
            } else if member.name.equals("stream", in: body) {
                hasStream = true
                output.append(streams ? "true" : "false")
            } else if isOptions && asksForUsage {
                hasOptions = true
                appendOptions(member.value, from: body, to: &output)
            } else {
                output.append(body, member.value.range)
            }
            keptEnd = member.range.upperBound
            keptPlace = place
        }
        if streams, !hasStream { output.append(#","stream":true"#) }
        if streams, asksForUsage, !hasOptions {
            output.append(#","stream_options":{"include_usage":true}"#)
        }
        let lastEnd = members.last?.range.upperBound ?? body.count
        output.append(body, lastEnd..<body.count)
        return output
    }

    private func appendOptions(
        _ options: JSONValue,
        from body: Span<UInt8>,
        to output: inout [UInt8]
    ) {
        output.append("{")
        for member in options.members(in: body)
        where !member.name.equals("include_usage", in: body) {
            output.append(body, member.range)
            output.append(0x2C)
        }
        output.append(#""include_usage":true}"#)
    }
}
