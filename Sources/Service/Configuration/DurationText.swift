/// Durations as they are written: `20ms`, `15s`, `1h30m`.
enum DurationText {
    private static let units: [(name: String, nanoseconds: Int64)] = [
        ("d", 86_400_000_000_000), ("h", 3_600_000_000_000), ("m", 60_000_000_000),
        ("s", 1_000_000_000), ("ms", 1_000_000), ("us", 1_000),
    ]

    /// Reads whole numbers with their units, the larger unit first, or a bare `0`; nil if `text` is
    /// nothing of the kind or longer than a century.
    static func parse(_ text: String) -> Duration? {
        if text == "0" { return .zero }
        var rest = text[...]
        var total: Int64 = 0
        var smallest = Int64.max
        while !rest.isEmpty {
            let digits = rest.prefix { $0.isASCII && $0.isNumber }
            rest = rest.dropFirst(digits.count)
            let name = rest.prefix { $0.isASCII && $0.isLetter }
            rest = rest.dropFirst(name.count)
            guard let number = Int64(digits),
                let unit = units.first(where: { $0.name == name })?.nanoseconds, unit < smallest,
                number <= 3_153_600_000_000_000_000 / unit
            else { return nil }
            smallest = unit
            total += number * unit
            guard total <= 3_153_600_000_000_000_000 else { return nil }
        }
        return text.isEmpty ? nil : .nanoseconds(total)
    }

    /// The shortest text that `parse` reads as `duration`.
    static func text(_ duration: Duration) -> String {
        let parts = duration.components
        var rest = parts.seconds * 1_000_000_000 + parts.attoseconds / 1_000_000_000
        var text = ""
        for unit in units where rest >= unit.nanoseconds {
            text += "\(rest / unit.nanoseconds)\(unit.name)"
            rest %= unit.nanoseconds
        }
        return text.isEmpty ? "0s" : text
    }
}
