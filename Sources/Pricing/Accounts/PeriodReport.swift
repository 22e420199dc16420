import Metering
import StreamBytes

/// What an account's month comes to: what was used, what it costs, and what its invoice says.
///
/// It follows from the month's totals, the account's terms and the price lists alone, to the
/// character.
package struct PeriodReport: Sendable {
    /// What the records of one provider, or of all, come to.
    package struct Usage: Equatable, Sendable {
        package fileprivate(set) var sums = ChargeSums()
        package fileprivate(set) var inputTokens: Int64 = 0
        package fileprivate(set) var outputTokens: Int64 = 0

        package var tokens: Int64 { inputTokens + outputTokens }
    }

    package let account: String
    package let month: CalendarMonth
    /// The account's, with the discount mode that the month began with.
    package let terms: AccountTerms
    /// The version of the list that grace, taxes and currencies were taken from.
    package let priceList: String
    /// Nil: the month still takes records.
    package let closedAt: WallTime?
    package let invoice: Invoice
    package let providers: [String: Usage]
    package private(set) var total = Usage()
    private let statement: PeriodStatement
    private let models: [String: PeriodBook.Model]

    /// - Parameters:
    ///   - account: whose month it is.
    ///   - month: the period.
    ///   - book: its totals.
    ///   - terms: what was agreed with the account; its discount mode does not count.
    ///   - prices: all lists.
    ///   - closedAt: nil while the month takes records.
    package init(
        account: String,
        month: CalendarMonth,
        book: PeriodBook,
        terms: AccountTerms,
        prices: PriceBook,
        closedAt: WallTime?
    ) {
        self.account = account
        self.month = month
        self.terms = terms.with(book.mode)
        self.closedAt = closedAt
        let list = prices.closingList(of: month)
        priceList = list.version
        statement = PeriodStatement(book)
        invoice = Invoice(for: statement, terms: terms, prices: list, month: month)
        models = book.models
        var providers: [String: Usage] = [:]
        for (name, model) in book.models {
            let sums = statement.models[name] ?? ChargeSums()
            providers[model.provider, default: Usage()].add(sums, model.totals)
            total.add(sums, model.totals)
        }
        self.providers = providers
    }

    /// The report as one JSON object, on one line.
    package var json: String {
        let closed = closedAt.map { "\"\($0.text)\"" } ?? "null"
        return """
            {"account":\(jsonText(account)),"period":"\(month)",\
            "status":"\(closedAt == nil ? "open" : "closed")","closedAt":\(closed),\
            "country":\(jsonText(terms.country)),"vat_id_valid":\(terms.isTaxIDValid),\
            "fx":"\(Int128(terms.exchangeRateMillionths).text(decimals: 6))",\
            "discount_mode":"\(terms.discountMode.rawValue)","price_list":\(jsonText(priceList)),\
            "usage":{\(usageMembers)},\
            \(statement.jsonMembers(invoice, currency: terms.currency))}
            """
    }

    private var usageMembers: String {
        let providers = providers.sorted { $0.key < $1.key }.map { name, usage in
            "\(jsonText(name)):{\(usage.jsonMembers),\(usage.sums.jsonMembers)}"
        }
        let models = models.sorted { $0.key < $1.key }.map { name, model in
            "\(jsonText(name)):{\"provider\":\(jsonText(model.provider)),"
                + "\"input_tokens\":\(model.totals.inputTokens),"
                + "\"output_tokens\":\(model.totals.outputTokens)}"
        }
        return """
            \(total.jsonMembers),"providers":{\(providers.joined(separator: ","))},\
            "models":{\(models.joined(separator: ","))}
            """
    }
}

extension PeriodReport.Usage {
    fileprivate mutating func add(_ sums: ChargeSums, _ totals: UsageTotals) {
        self.sums.add(sums)
        inputTokens += totals.inputTokens
        outputTokens += totals.outputTokens
    }

    fileprivate var jsonMembers: String {
        "\"records\":\(sums.records),\"breached_records\":\(sums.breachedRecords),"
            + "\"input_tokens\":\(inputTokens),\"output_tokens\":\(outputTokens)"
    }
}

extension AccountTerms {
    fileprivate func with(_ mode: DiscountMode) -> Self {
        Self(
            country: country,
            isTaxIDValid: isTaxIDValid,
            currency: currency,
            exchangeRateMillionths: exchangeRateMillionths,
            discountMode: mode,
            quotas: quotas
        )
    }
}
