extension [UInt8] {
    /// Appends `text` as a JSON string, quotes included.
    package mutating func append(jsonString text: String) {
        append(0x22)
        append(escaping: text)
        append(0x22)
    }

    /// Appends `text` as a JSON string, quotes included.
    ///
    /// - Parameter text: UTF-8; what is none of it goes through as it is.
    package mutating func append(jsonString text: Span<UInt8>) {
        append(0x22)
        append(escaping: text)
        append(0x22)
    }

    /// Appends `text` as the contents of a JSON string.
    package mutating func append(escaping text: String) {
        var text = text
        text.withUTF8 { append(escaping: unsafe $0.span) }
    }

    /// Appends `text` as the contents of a JSON string.
    ///
    /// - Parameter text: UTF-8; what is none of it goes through as it is.
    package mutating func append(escaping text: Span<UInt8>) {
        var start = 0
        while start < text.count {
            let end = text.firstSpecialByte(from: start)
            append(text, start..<end)
            guard end < text.count else { return }
            append(escapeOf: text[end])
            start = end + 1
        }
    }

    private mutating func append(escapeOf byte: UInt8) {
        append(0x5C)
        switch byte {
        case 0x22, 0x5C: append(byte)
        case 0x08: append(0x62)
        case 0x09: append(0x74)
        case 0x0A: append(0x6E)
        case 0x0C: append(0x66)
        case 0x0D: append(0x72)
        default:
            let digits: StaticString = "0123456789abcdef"
            append("u00")
            append(unsafe digits.utf8Start[Int(byte >> 4)])
            append(unsafe digits.utf8Start[Int(byte & 0x0F)])
        }
    }
}
