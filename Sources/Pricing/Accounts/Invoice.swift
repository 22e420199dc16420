import Metering

/// What an account is asked to pay for a period, in whole minor units of its currency.
struct Invoice: Sendable {
    struct Line: Equatable, Sendable {
        let model: String
        let amount: Int128
    }

    let lines: [Line]
    let net: Int128
    let tax: InvoiceTax
    let vat: Int128
    /// What rounding the lines left over, in 10^-15 of the currency.
    let residual: Int128

    var gross: Int128 { net + vat }

    /// Rounds each line once, and the tax once on their sum.
    init(
        for statement: PeriodStatement,
        terms: AccountTerms,
        taxes: TaxRules,
        month: CalendarMonth
    ) {
        var lines: [Line] = []
        var exactSum: Int128 = 0
        var net: Int128 = 0
        var unit: Int128 = 1_000_000_000_000_000
        for _ in 0..<terms.currencyDecimals { unit /= 10 }
        let models = statement.models.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
        for (model, sums) in models {
            let exact = sums.charge * Int128(terms.exchangeRateMillionths)
            let amount = exact.roundedQuotient(by: unit)
            lines.append(Line(model: model, amount: amount))
            exactSum += exact
            net += amount
        }
        self.lines = lines
        self.net = net
        residual = exactSum - net * unit
        tax = taxes.tax(
            country: terms.country,
            isTaxIDValid: terms.isTaxIDValid,
            month: month
        )
        vat = (net * Int128(tax.basisPoints)).roundedQuotient(by: 10_000)
    }
}
