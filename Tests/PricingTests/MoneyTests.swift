import Pricing
import Testing

@Suite struct MoneyTests {
    @Test(arguments: [
        (0, "0.000000000"), (1, "0.000000001"), (-1, "-0.000000001"),
        (84_333_333, "0.084333333"), (12_000_000_000, "12.000000000"),
        (Int64.max, "9223372036.854775807"), (Int64.min, "-9223372036.854775808"),
    ])
    func `an amount is written with nine decimals`(nanodollars: Int64, text: String) {
        #expect(Money(nanodollars: nanodollars).description == text)
    }

    @Test(arguments: [
        ("0", 0), ("0.00008", 80_000), ("0.000000001", 1), ("12.5", 12_500_000_000),
        ("9223372036.854775807", Int64.max),
    ])
    func `a price is read exactly`(text: String, nanodollars: Int64) {
        #expect(Money(decimal: text)?.nanodollars == nanodollars)
    }

    @Test(arguments: [
        "", ".", "1.", ".5", "-1", "+1", "1e3", "1,5", " 1", "1 ", "0.0000000001", "1.2.3",
        "\u{661}", "9223372036.854775808", "99999999999",
    ])
    func `a text that is no price is refused`(text: String) {
        #expect(Money(decimal: text) == nil)
    }

    @Test(
        arguments: [
            (5, 1_000, 1), (4, 1_000, 0), (-5, 1_000, -1), (-4, 1_000, 0), (15, 1_000, 2),
            (Int64.max, 10_000, Int64.max),
            (115_292_150_460_684_697, 2_000, 23_058_430_092_136_939),
        ] as [(Int64, Int64, Int64)]
    )
    func `a portion is rounded once, ties away from zero`(
        nanodollars: Int64,
        basisPoints: Int64,
        portion: Int64
    ) {
        let amount = Money(nanodollars: nanodollars)
        #expect(amount.portion(basisPoints: basisPoints).nanodollars == portion)
    }

    @Test func `a sum that does not fit is no sum`() {
        #expect(Money(nanodollars: .max).adding(Money(nanodollars: 1)) == nil)
        #expect(Money(nanodollars: 2).adding(Money(nanodollars: 1))?.nanodollars == 3)
    }
}
