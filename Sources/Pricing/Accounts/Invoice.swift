import Metering

/// What an account is asked to pay for a period, in whole minor units of its currency.
package struct Invoice: Sendable {
    package struct Line: Equatable, Sendable {
        package let model: String
        package let amount: Int128
    }

    package let lines: [Line]
    package let net: Int128
    package let tax: InvoiceTax
    package let vat: Int128
    /// What rounding the lines left over, in 10^-15 of the currency.
    package let residual: Int128
    /// Decimals of the currency's minor unit.
    package let decimals: Int

    package var gross: Int128 { net + vat }

    /// An amount as it is written: with exactly the currency's decimals.
    package func text(_ amount: Int128) -> String { amount.text(decimals: decimals) }

    /// Rounds each line once, and the tax once on their sum.
    ///
    /// - Parameters:
    ///   - statement: what the period costs.
    ///   - terms: in a currency that the price list knows; of any other the minor unit is taken to
    ///     have two decimals.
    ///   - prices: those in force at the period's last instant.
    ///   - month: the period.
    package init(
        for statement: PeriodStatement,
        terms: AccountTerms,
        prices: PriceList,
        month: CalendarMonth
    ) {
        let decimals = prices.currencyDecimals[terms.currency] ?? 2
        self.decimals = decimals
        var lines: [Line] = []
        var exactSum: Int128 = 0
        var net: Int128 = 0
        var unit: Int128 = 1_000_000_000_000_000
        for _ in 0..<decimals { unit /= 10 }
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
        tax = prices.taxes.tax(
            country: terms.country,
            isTaxIDValid: terms.isTaxIDValid,
            month: month
        )
        vat = (net * Int128(tax.basisPoints)).roundedQuotient(by: 10_000)
    }
}
