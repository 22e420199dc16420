/// Text with `${NAME}` and `${NAME:-default}` in it; `$$` is a dollar sign.
enum EnvironmentText {
    enum Failure: Error, Equatable {
        case notSet(String)
        case malformed
    }

    /// Returns `text` with its variables replaced; their values are not looked at again.
    static func expand(
        _ text: String,
        environment: [String: String]
    ) throws(Failure) -> String {
        guard text.contains("$") else { return text }
        var result = ""
        var rest = text[...]
        while let dollar = rest.firstIndex(of: "$") {
            result += rest[..<dollar]
            rest = rest[rest.index(after: dollar)...]
            if rest.hasPrefix("$") {
                result += "$"
                rest = rest.dropFirst()
            } else if rest.hasPrefix("{") {
                guard let end = rest.firstIndex(of: "}") else { throw .malformed }
                let inner = rest[rest.index(after: rest.startIndex)..<end]
                result += try value(of: inner, environment)
                rest = rest[rest.index(after: end)...]
            } else {
                result += "$"
            }
        }
        return result + rest
    }

    private static func value(
        of inner: Substring,
        _ environment: [String: String]
    ) throws(Failure) -> String {
        let separator = inner.firstRange(of: ":-")
        let name = String(inner[..<(separator?.lowerBound ?? inner.endIndex)])
        guard isName(name) else { throw .malformed }
        if let value = environment[name], !value.isEmpty || separator == nil { return value }
        guard let separator else { throw .notSet(name) }
        return String(inner[separator.upperBound...])
    }

    private static func isName(_ name: String) -> Bool {
        guard let first = name.utf8.first, !(0x30...0x39).contains(first) else { return false }
        return name.utf8.allSatisfy {
            switch $0 {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x5F: true
            default: false
            }
        }
    }
}
