import Cryptography

/// How a kind of value is written.
struct ValueForm<Value> {
    /// What is expected, after "expected": "a duration such as 15s".
    let expectation: String
    /// The words that are allowed, where there are only some.
    var words: [String] = []
    /// Whether a bad value may be shown; not where it can hold a secret.
    var isShown = true
    /// Returns nil for a text of another form.
    let parse: (String) -> Value?
    /// The text that `parse` reads as that value.
    let text: (Value) -> String
}

extension ValueForm {
    /// Allows only the values that `condition` holds for.
    func limited(to expectation: String, _ condition: @escaping (Value) -> Bool) -> ValueForm {
        ValueForm(
            expectation: expectation,
            words: words,
            isShown: isShown,
            parse: { parse($0).flatMap { condition($0) ? $0 : nil } },
            text: text
        )
    }
}

extension ValueForm where Value == String {
    static var text: ValueForm {
        ValueForm(
            expectation: "some text",
            parse: { $0.isEmpty ? nil : $0 },
            text: { $0 }
        )
    }

    static var filePath: ValueForm {
        ValueForm(
            expectation: "the path of a file",
            parse: { $0.isEmpty || $0.utf8.contains(0) ? nil : $0 },
            text: { $0 }
        )
    }

    /// What stands in meter records as an id.
    static var id: ValueForm {
        text.limited(to: "1 to 64 letters, digits, or . _ : -") { id in
            id.utf8.count <= 64
                && id.utf8.allSatisfy {
                    switch $0 {
                    case 0x30...0x3A, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F: true
                    default: false
                    }
                }
        }
    }

    static var name: ValueForm {
        text.limited(to: "a name without spaces, of 1 to 128 characters") { name in
            name.utf8.count <= 128
                && name.unicodeScalars.allSatisfy { $0.value > 0x20 && $0.value != 0x7F }
        }
    }

    static func letters(_ count: Int, _ expectation: String) -> ValueForm {
        text.limited(to: expectation) { text in
            text.utf8.count == count && text.utf8.allSatisfy { (0x41...0x5A).contains($0) }
        }
    }

    /// A number above 0, without sign and exponent, of at most 12 digits before and 9 after the point.
    static var positiveDecimal: ValueForm {
        text.limited(to: "a number above 0, such as 0.92") { text in
            let parts = text.split(separator: ".", omittingEmptySubsequences: false)
            let isNumber = parts.allSatisfy { part in
                !part.isEmpty && part.utf8.allSatisfy { (0x30...0x39).contains($0) }
            }
            return isNumber && parts.count <= 2 && parts[0].utf8.count <= 12
                && (parts.count < 2 || parts[1].utf8.count <= 9)
                && text.utf8.contains { (0x31...0x39).contains($0) }
        }
    }

    static var origin: ValueForm {
        text.limited(to: "an origin such as https://example.org") { origin in
            guard let url = ServiceURL(origin) else { return false }
            return ["http", "https"].contains(url.scheme) && !url.host.isEmpty && url.path.isEmpty
                && url.query == nil && url.user == nil && url.description == origin
        }
    }
}

extension ValueForm where Value == Bool {
    static var flag: ValueForm {
        ValueForm(
            expectation: "true or false",
            words: ["true", "false"],
            parse: { ["true": true, "false": false][$0] },
            text: { $0 ? "true" : "false" }
        )
    }
}

extension ValueForm where Value == Int {
    static func number(_ range: ClosedRange<Int>) -> ValueForm {
        ValueForm(
            expectation: "a whole number from \(range.lowerBound) to \(range.upperBound)",
            parse: { text in
                guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
                return Int(text).flatMap { range.contains($0) ? $0 : nil }
            },
            text: { String($0) }
        )
    }
}

extension ValueForm where Value == Duration {
    static func duration(_ range: ClosedRange<Duration>) -> ValueForm {
        let bounds =
            "from \(DurationText.text(range.lowerBound)) to "
            + DurationText.text(range.upperBound)
        return ValueForm(
            expectation: "a duration with its unit (ms, s, m, h, d), \(bounds)",
            parse: { DurationText.parse($0).flatMap { range.contains($0) ? $0 : nil } },
            text: DurationText.text
        )
    }
}

extension ValueForm where Value == Duration {
    /// `always`, which is zero, or how long a loss may reach back.
    static var durability: ValueForm {
        let range = Duration.milliseconds(1)...Duration.seconds(10)
        return ValueForm(
            expectation: "always, or a duration from 1ms to 10s",
            parse: { text in
                if text == "always" { return .zero }
                return DurationText.parse(text).flatMap { range.contains($0) ? $0 : nil }
            },
            text: { $0 == .zero ? "always" : DurationText.text($0) }
        )
    }
}

extension ValueForm where Value == ByteCount {
    static func size(_ range: ClosedRange<ByteCount>) -> ValueForm {
        ValueForm(
            expectation: "a number of bytes such as 64KiB, from \(range.lowerBound) to "
                + "\(range.upperBound)",
            parse: { ByteCount($0).flatMap { range.contains($0) ? $0 : nil } },
            text: \.description
        )
    }
}

extension ValueForm where Value == Secret? {
    /// An empty secret, as an empty variable gives it, is none.
    static var secret: ValueForm {
        ValueForm(
            expectation: "a secret without spaces",
            isShown: false,
            parse: { text in
                let isPrintable = text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
                return isPrintable ? .some(text.isEmpty ? nil : Secret(text)) : nil
            },
            text: { _ in "redacted" }
        )
    }
}

extension ValueForm where Value == SHA256Digest {
    static var digest: ValueForm {
        ValueForm(
            expectation: "64 hexadecimal digits (weir keys create prints them)",
            parse: { SHA256Digest(hexadecimal: $0) },
            text: \.hexadecimal
        )
    }
}

extension ValueForm where Value == ListenAddress {
    static var address: ValueForm {
        ValueForm(
            expectation: "an address such as 127.0.0.1:8080, [::1]:8080 or localhost:8080",
            parse: { ListenAddress($0) },
            text: \.description
        )
    }
}

extension ValueForm where Value == ServiceURL {
    static var webURL: ValueForm {
        ValueForm(
            expectation: "a URL such as https://api.example.com/v1",
            isShown: false,
            parse: { text in
                let url = ServiceURL(text)
                return url.flatMap { url in
                    let isWeb = ["http", "https"].contains(url.scheme) && !url.host.isEmpty
                    return isWeb && url.query == nil && url.user == nil && url.password == nil
                        ? url : nil
                }
            },
            text: \.description
        )
    }

    static var redisURL: ValueForm {
        ValueForm(
            expectation: "a URL such as redis://127.0.0.1:6379/0, rediss://… or unix:///path",
            isShown: false,
            parse: { text in
                guard let url = ServiceURL(text) else { return nil }
                switch url.scheme {
                case "unix": return url.host.isEmpty && url.path.utf8.count > 1 ? url : nil
                case "redis", "rediss":
                    let database = url.path.dropFirst()
                    let isNumber = database.utf8.allSatisfy { (0x30...0x39).contains($0) }
                    return !url.host.isEmpty && isNumber && database.utf8.count <= 5 ? url : nil
                default: return nil
                }
            },
            text: \.description
        )
    }
}

extension ValueForm where Value == LedgerLocation {
    static var ledger: ValueForm {
        ValueForm(
            expectation: "sqlite:PATH or postgresql://…",
            isShown: false,
            parse: { LedgerLocation($0) },
            text: \.description
        )
    }
}

extension ValueForm where Value == PriceReference {
    static var price: ValueForm {
        ValueForm(
            expectation: "a key of the price list, or free",
            parse: { $0.isEmpty ? nil : $0 == "free" ? .free : .listed($0) },
            text: {
                switch $0 {
                case .free: "free"
                case .listed(let key): key
                }
            }
        )
    }
}

extension ValueForm where Value: CaseIterable & RawRepresentable, Value.RawValue == String {
    static var word: ValueForm {
        let words = Value.allCases.map(\.rawValue)
        return ValueForm(
            expectation: "one of " + words.joined(separator: ", "),
            words: words,
            parse: { Value(rawValue: $0) },
            text: \.rawValue
        )
    }
}
