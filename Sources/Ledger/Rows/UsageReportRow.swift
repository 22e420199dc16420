import Cryptography
import Metering
import Pricing

/// What a closed month of an account came to, as its invoice says it; never written again.
///
/// The terms stand here because nothing else keeps them: the configuration may have others by now.
/// Everything else follows from the records.
struct UsageReportRow: LedgerRow {
    static let table = LedgerTable(
        "usage_reports",
        key: ["account_id", "period"],
        columns: [
            .text("account_id"), .text("period"), .integer("number"), .integer("closed_at_ms"),
            .text("country"), .integer("vat_id_valid"), .text("currency"),
            .integer("fx_millionths"), .text("discount_mode"), .text("price_list"),
            .integer("records"), .integer("tokens"), .integer("subtotal_nano"),
            .integer("discount_nano"), .integer("penalty_nano"), .integer("charge_nano"),
            .text("net"), .text("vat_category"), .integer("vat_rate_bp"), .text("vat"),
            .text("gross"), .text("report"), .text("sha256"),
        ],
        checks: ["subtotal_nano = discount_nano + penalty_nano + charge_nano"],
        isSealed: true
    )

    let key: PeriodKey
    /// That of the event; the transactions that closed the month follow it.
    let number: Int64
    let closedAtMilliseconds: Int64
    let terms: AccountTerms
    let priceList: String
    let records: Int64
    let tokens: Int64
    /// Subtotal, discount, penalty, charge.
    let sums: [Int64]
    /// In the invoice's currency.
    let net: String
    let tax: (category: String, basisPoints: Int64)
    let vat: String
    let gross: String
    /// The whole report as JSON.
    let body: String
    /// Of the body, in hexadecimal.
    let sha256: String

    init(_ report: PeriodReport, closedAt: Int64, number: Int64) {
        key = PeriodKey(account: report.account, period: report.month.description)
        self.number = number
        closedAtMilliseconds = closedAt
        terms = report.terms
        priceList = report.priceList
        let total = report.total
        records = total.sums.records
        tokens = total.tokens
        // They are sums of what the books hold in 64 bits.
        sums = [total.sums.subtotal, total.sums.discount, total.sums.penalty, total.sums.charge]
            .map { Int64(clamping: $0) }
        let invoice = report.invoice
        net = invoice.text(invoice.net)
        tax = (invoice.tax.category.rawValue, invoice.tax.basisPoints)
        vat = invoice.text(invoice.vat)
        gross = invoice.text(invoice.gross)
        body = report.json
        sha256 = SHA256Digest(of: body).hexadecimal
    }

    init(_ reader: inout RowReader) throws(LedgerFailure) {
        key = PeriodKey(account: try reader.text(), period: try reader.text())
        number = try reader.integer()
        closedAtMilliseconds = try reader.integer()
        let country = try reader.text()
        let isTaxIDValid = try reader.integer() != 0
        let currency = try reader.text()
        let rate = try reader.integer()
        let mode = try reader.text()
        guard let discountMode = DiscountMode(rawValue: mode) else {
            throw .damaged("usage_reports.discount_mode of \(key.account) \(key.period): \(mode)")
        }
        terms = AccountTerms(
            country: country,
            isTaxIDValid: isTaxIDValid,
            currency: currency,
            exchangeRateMillionths: rate,
            discountMode: discountMode
        )
        priceList = try reader.text()
        records = try reader.integer()
        tokens = try reader.integer()
        var sums: [Int64] = []
        for _ in 0..<4 { sums.append(try reader.integer()) }
        self.sums = sums
        net = try reader.text()
        tax = (try reader.text(), try reader.integer())
        vat = try reader.text()
        gross = try reader.text()
        body = try reader.text()
        sha256 = try reader.text()
    }

    var values: [LedgerValue] {
        var values = key.values
        values += [.integer(number), .integer(closedAtMilliseconds), .text(terms.country)]
        values += [.integer(terms.isTaxIDValid ? 1 : 0), .text(terms.currency)]
        values += [.integer(terms.exchangeRateMillionths), .text(terms.discountMode.rawValue)]
        values += [.text(priceList), .integer(records), .integer(tokens)]
        values += sums.map(LedgerValue.integer)
        values += [.text(net), .text(tax.category), .integer(tax.basisPoints), .text(vat)]
        values += [.text(gross), .text(body), .text(sha256)]
        return values
    }
}
