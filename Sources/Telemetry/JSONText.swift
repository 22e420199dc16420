/// JSON strings for the log.
enum JSONText {
    /// Appends `text` as a JSON string; every control character is escaped, also those that JSON
    /// would allow (DEL, the C1 set, and Unicode's line separators).
    static func append(_ text: String, to output: inout [UInt8]) {
        output.append(0x22)
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"": output.append(contentsOf: #"\""#.utf8)
            case "\\": output.append(contentsOf: #"\\"#.utf8)
            case "\n": output.append(contentsOf: #"\n"#.utf8)
            case "\r": output.append(contentsOf: #"\r"#.utf8)
            case "\t": output.append(contentsOf: #"\t"#.utf8)
            case _ where needsEscape(scalar): appendEscape(scalar, to: &output)
            default: output.append(contentsOf: UTF8.encode(scalar).map(Array.init) ?? [])
            }
        }
        output.append(0x22)
    }

    /// Whether a scalar must not reach a log as it is.
    static func needsEscape(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0..<0x20, 0x5C, 0x7F..<0xA0, 0x2028, 0x2029: true
        // Marks that turn the direction of writing round can make a line read as another one.
        case 0x200E, 0x200F, 0x202A...0x202E, 0x2066...0x2069: true
        default: false
        }
    }

    private static func appendEscape(_ scalar: Unicode.Scalar, to output: inout [UInt8]) {
        let digits = String(scalar.value, radix: 16)
        output.append(contentsOf: #"\u"#.utf8)
        output.append(contentsOf: repeatElement(0x30, count: 4 - digits.utf8.count))
        output.append(contentsOf: digits.utf8)
    }
}
