extension LogLine {
    /// Appends the line as one JSON object and a line feed.
    ///
    /// - Parameters:
    ///   - milliseconds: when it happened, since 1970 UTC.
    ///   - output: gets the bytes.
    package func appendJSON(at milliseconds: Int64, to output: inout [UInt8]) {
        output.append(contentsOf: #"{"time":""#.utf8)
        output.append(contentsOf: CalendarTime(milliseconds: milliseconds).text.utf8)
        output.append(contentsOf: #"","level":""#.utf8)
        output.append(contentsOf: level.rawValue.utf8)
        output.append(contentsOf: #"","event":"#.utf8)
        JSONText.append(event, to: &output)
        for (name, value) in fields {
            output.append(0x2C)
            JSONText.append(name, to: &output)
            output.append(0x3A)
            append(value, to: &output)
        }
        output.append(contentsOf: "}\n".utf8)
    }

    /// Appends the line as people read it on a terminal, and a line feed.
    ///
    /// Control characters in values are escaped, so that a value can neither forge a line nor
    /// steer the terminal.
    ///
    /// - Parameters:
    ///   - milliseconds: when it happened, since 1970 UTC.
    ///   - output: gets the bytes.
    package func appendText(at milliseconds: Int64, to output: inout [UInt8]) {
        output.append(contentsOf: CalendarTime(milliseconds: milliseconds).timeOfDay.utf8)
        output.append(0x20)
        output.append(contentsOf: level.rawValue.utf8)
        output.append(0x20)
        appendPlain(event, to: &output)
        for (name, value) in fields {
            output.append(0x20)
            appendPlain(name, to: &output)
            output.append(0x3D)
            if case .text(let text) = value {
                appendPlain(text, to: &output)
            } else {
                append(value, to: &output)
            }
        }
        output.append(0x0A)
    }

    private func append(_ value: Value, to output: inout [UInt8]) {
        switch value {
        case .text(let text): JSONText.append(text, to: &output)
        case .integer(let number): output.append(contentsOf: String(number).utf8)
        case .decimal(let number):
            // JSON has no infinity and no NaN.
            output.append(contentsOf: (number.isFinite ? "\(number)" : "null").utf8)
        case .boolean(let flag): output.append(contentsOf: (flag ? "true" : "false").utf8)
        }
    }

    /// Writes a word as it is, and quotes what would not read as one word.
    private func appendPlain(_ text: String, to output: inout [UInt8]) {
        let isWord = text.unicodeScalars.allSatisfy {
            $0 != " " && $0 != "\"" && $0 != "=" && !JSONText.needsEscape($0)
        }
        if isWord && !text.isEmpty {
            output.append(contentsOf: text.utf8)
        } else {
            JSONText.append(text, to: &output)
        }
    }
}
