/// An amount in nano-dollars, 10^-9 USD: the unit of account.
package struct Money: Hashable, Comparable, Sendable, CustomStringConvertible {
    package static let zero = Self(nanodollars: 0)

    package let nanodollars: Int64

    package init(nanodollars: Int64) { self.nanodollars = nanodollars }

    package static func < (left: Self, right: Self) -> Bool { left.nanodollars < right.nanodollars }

    package static func + (left: Self, right: Self) -> Self {
        Self(nanodollars: left.nanodollars + right.nanodollars)
    }

    package static func - (left: Self, right: Self) -> Self {
        Self(nanodollars: left.nanodollars - right.nanodollars)
    }

    /// The sum, or nil when it is beyond ±9.2 billion dollars.
    package func adding(_ other: Self) -> Self? {
        let (sum, overflow) = nanodollars.addingReportingOverflow(other.nanodollars)
        return overflow ? nil : Self(nanodollars: sum)
    }

    /// The given number of hundredths of a percent of the amount, rounded once.
    package func portion(basisPoints: Int64) -> Self {
        let exact = Int128(nanodollars) * Int128(basisPoints)
        return Self(nanodollars: Int64(exact.roundedQuotient(by: 10_000)))
    }

    /// US dollars with exactly nine decimals.
    package var description: String {
        let (dollars, rest) = nanodollars.magnitude.quotientAndRemainder(dividingBy: 1_000_000_000)
        let decimals = String(rest)
        let zeros = String(repeating: "0", count: 9 - decimals.utf8.count)
        return "\(nanodollars < 0 ? "-" : "")\(dollars).\(zeros)\(decimals)"
    }
}

extension Money {
    /// Reads a price: digits, and at most nine more behind a point; no sign, no exponent.
    ///
    /// Nil for any other text, and beyond nine billion dollars.
    package init?(decimal text: String) {
        let parts = text.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), let whole = parts.first, (1...10).contains(whole.count)
        else { return nil }
        let decimals = parts.count == 2 ? Array(parts[1]) : []
        guard parts.count == 1 || (1...9).contains(decimals.count) else { return nil }
        var total: Int64 = 0
        let padding = repeatElement(UInt8(ascii: "0"), count: 9 - decimals.count)
        for byte in Array(whole) + decimals + padding {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
            let (product, isTooLarge) = total.multipliedReportingOverflow(by: 10)
            let (sum, isTooLong) = product.addingReportingOverflow(
                Int64(byte - UInt8(ascii: "0"))
            )
            guard !isTooLarge, !isTooLong else { return nil }
            total = sum
        }
        self.init(nanodollars: total)
    }
}

extension Int128 {
    /// The quotient, to the nearest whole number, ties away from zero: the only rounding rule.
    func roundedQuotient(by divisor: Int128) -> Int128 {
        precondition(divisor > 0, "amounts are divided by positive numbers")
        let (quotient, rest) = quotientAndRemainder(dividingBy: divisor)
        guard rest.magnitude >= divisor.magnitude - rest.magnitude else { return quotient }
        return self < 0 ? quotient - 1 : quotient + 1
    }
}
