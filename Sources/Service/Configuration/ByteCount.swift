/// A number of bytes, written with a unit: `16KiB`, `64KB`, `4MiB`, or plain bytes.
package struct ByteCount: Hashable, Comparable, Sendable, CustomStringConvertible {
    package let bytes: Int

    package init(bytes: Int) { self.bytes = bytes }

    package init(kibibytes: Int) { bytes = kibibytes * 1_024 }

    /// Reads a whole number and a unit; nil if it is nothing of the kind or beyond 63 bits.
    package init?(_ text: String) {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        let unit = text.dropFirst(digits.count).drop { $0 == " " }
        guard let number = Int(digits),
            let factor = Self.units.first(where: { $0.name == unit })?.factor
        else { return nil }
        let (bytes, overflow) = number.multipliedReportingOverflow(by: factor)
        guard !overflow else { return nil }
        self.bytes = bytes
    }

    /// In the largest unit of 1024 that it is a multiple of.
    package var description: String {
        let unit = Self.units.last { $0.isBinary && bytes.isMultiple(of: $0.factor) }
        guard let unit, bytes > 0 else { return "\(bytes)B" }
        return "\(bytes / unit.factor)\(unit.name)"
    }

    package static func < (left: Self, right: Self) -> Bool { left.bytes < right.bytes }

    private struct Unit: Sendable {
        let name: String
        let factor: Int
        var isBinary: Bool { factor > 1 && factor & (factor - 1) == 0 }
    }

    private static let units = [
        Unit(name: "", factor: 1), Unit(name: "B", factor: 1),
        Unit(name: "KB", factor: 1_000), Unit(name: "MB", factor: 1_000_000),
        Unit(name: "GB", factor: 1_000_000_000),
        Unit(name: "KiB", factor: 1 << 10), Unit(name: "MiB", factor: 1 << 20),
        Unit(name: "GiB", factor: 1 << 30),
    ]
}
