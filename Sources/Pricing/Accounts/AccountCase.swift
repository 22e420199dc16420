import Metering

/// An `account` case: an account, its records in the order of arrival, and points to look at.
struct AccountCase: Decodable {
    let account: Account
    let records: [Arrival]
    let checkpoints: Checkpoints?

    struct Account: Decodable {
        let country: String
        let isTaxIDValid: Bool
        let currency: String
        let exchangeRate: String
        let discountMode: String?
        let quotas: [Limit]?

        enum CodingKeys: String, CodingKey {
            case country
            case isTaxIDValid = "vat_id_valid"
            case currency
            case exchangeRate = "fx"
            case discountMode = "discount_mode"
            case quotas
        }
    }

    struct Limit: Decodable {
        let metric: String
        let limit: String
    }

    struct Arrival: Decodable {
        let receivedAtMilliseconds: Int64
        let fields: [String: String]

        enum CodingKeys: String, CodingKey {
            case receivedAtMilliseconds = "received_at_ms"
            case fields
        }
    }

    struct Checkpoints: Decodable {
        let period: String
        let after: [Int]
    }
}

extension AccountCase {
    /// The `expect` object of the case as JSON; nil where its account makes no sense.
    func expectation(prices: PriceBook) -> String? {
        guard let terms = account.terms(prices: prices) else { return nil }
        var book = AccountBook(terms: terms, prices: prices)
        var rejected: [String] = []
        var reached: [String] = []
        for (index, arrival) in records.enumerated() {
            let delivered = DeliveredRecord(
                entryID: String(index),
                receivedAtMilliseconds: arrival.receivedAtMilliseconds,
                fields: arrival.fields
            )
            if let rejection = book.take(delivered) {
                rejected.append(Self.text(of: rejection, index, arrival.fields["record_id"]))
            }
            for checkpoint in checkpoints?.after ?? [] where checkpoint == index + 1 {
                reached.append(checkpointText(after: checkpoint, book))
            }
        }
        let periods = book.billedPeriods.compactMap { period in
            book.statement(of: period).map {
                "\"\(period)\":\(Self.text(of: $0, period, terms, prices))"
            }
        }
        let alerts = book.alerts.map { fired in
            let level = fired.alert.level
            return "{\"period\":\"\(fired.period)\",\"metric\":\"\(level.quota.name)\","
                + "\"level\":\(level.percent),\"record_id\":\(jsonText(fired.alert.recordID))}"
        }
        return """
            {"accepted":\(book.acceptedCount),"duplicates":\(book.duplicates),\
            "rejected":[\(rejected.joined(separator: ","))],\
            "late":[\(book.lateRecords.map(jsonText).joined(separator: ","))],\
            "periods":{\(periods.joined(separator: ","))},\
            "alerts":[\(alerts.joined(separator: ","))],\
            "checkpoints":[\(reached.joined(separator: ","))]}
            """
    }

    private func checkpointText(after count: Int, _ book: AccountBook) -> String {
        let name = checkpoints?.period ?? ""
        let period = book.billedPeriods.first { $0.description == name }
        let charge = period.flatMap { book.statement(of: $0) }?.total.charge ?? 0
        return "{\"after\":\(count),\"period\":\(jsonText(name)),"
            + "\"charge\":\"\(charge.text(decimals: 9))\"}"
    }

    private static func text(
        of rejection: RecordRejection,
        _ index: Int,
        _ recordID: String?
    ) -> String {
        "{\"index\":\(index),\"record_id\":\(recordID.map(jsonText) ?? "null"),"
            + "\"reason\":\"\(rejection.reason.rawValue)\",\"field\":\(jsonText(rejection.field))}"
    }

    private static func text(
        of statement: PeriodStatement,
        _ period: CalendarMonth,
        _ terms: AccountTerms,
        _ prices: PriceBook
    ) -> String {
        let providers = statement.providers.sorted { $0.key < $1.key }.map { name, provider in
            "\(jsonText(name)):{\"tokens\":\(provider.tokens),"
                + "\"discount_bp\":\(provider.discountBasisPoints)}"
        }
        let models = statement.models.sorted { $0.key < $1.key }.map { name, sums in
            "\(jsonText(name)):{\"records\":\(sums.records),"
                + "\"breached_records\":\(sums.breachedRecords),\(amounts(sums))}"
        }
        let invoice = Invoice(
            for: statement,
            terms: terms,
            prices: prices.closingList(of: period),
            month: period
        )
        return """
            {"providers":{\(providers.joined(separator: ","))},\
            "models":{\(models.joined(separator: ","))},\(amounts(statement.total)),\
            "invoice":\(text(of: invoice, terms))}
            """
    }

    private static func amounts(_ sums: ChargeSums) -> String {
        """
        "subtotal":"\(sums.subtotal.text(decimals: 9))",\
        "discount":"\(sums.discount.text(decimals: 9))",\
        "sla_penalty":"\(sums.penalty.text(decimals: 9))",\
        "charge":"\(sums.charge.text(decimals: 9))"
        """
    }

    private static func text(of invoice: Invoice, _ terms: AccountTerms) -> String {
        let decimals = invoice.decimals
        let lines = invoice.lines.map { line in
            "{\"model\":\(jsonText(line.model)),"
                + "\"amount\":\"\(line.amount.text(decimals: decimals))\"}"
        }
        return """
            {"currency":\(jsonText(terms.currency)),"lines":[\(lines.joined(separator: ","))],\
            "net":"\(invoice.net.text(decimals: decimals))",\
            "vat_category":"\(invoice.tax.category.rawValue)",\
            "vat_rate_bp":\(invoice.tax.basisPoints),\
            "vat":"\(invoice.vat.text(decimals: decimals))",\
            "gross":"\(invoice.gross.text(decimals: decimals))",\
            "rounding_residual":"\(invoice.residual.text(decimals: 15))"}
            """
    }
}

extension AccountCase.Account {
    fileprivate func terms(prices: PriceBook) -> AccountTerms? {
        guard prices.lists.contains(where: { $0.currencyDecimals[currency] != nil }),
            let rate = AccountTerms.exchangeRateMillionths(exchangeRate),
            let mode = DiscountMode(rawValue: discountMode ?? DiscountMode.wholeVolume.rawValue)
        else { return nil }
        var quotas: [Quota] = []
        for limit in self.quotas ?? [] {
            guard let quota = Quota(metric: limit.metric, limit: limit.limit) else { return nil }
            quotas.append(quota)
        }
        return AccountTerms(
            country: country,
            isTaxIDValid: isTaxIDValid,
            currency: currency,
            exchangeRateMillionths: rate,
            discountMode: mode,
            quotas: quotas
        )
    }
}

extension Int128 {
    /// The number, counted in 10^-decimals, as text with exactly so many decimals.
    fileprivate func text(decimals: Int) -> String {
        let digits = String(magnitude)
        let padded =
            String(repeating: "0", count: Swift.max(0, decimals + 1 - digits.count)) + digits
        let sign = self < 0 ? "-" : ""
        guard decimals > 0 else { return sign + padded }
        return "\(sign)\(padded.dropLast(decimals)).\(padded.suffix(decimals))"
    }
}
