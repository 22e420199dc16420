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
            book.statement(of: period).map { statement in
                let invoice = Invoice(
                    for: statement,
                    terms: terms,
                    prices: prices.closingList(of: period),
                    month: period
                )
                let members = statement.jsonMembers(invoice, currency: terms.currency)
                return "\"\(period)\":{\(members)}"
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
