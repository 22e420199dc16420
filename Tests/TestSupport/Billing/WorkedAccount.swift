import FoundationEssentials
import Metering
import Pricing

/// An account with its records, of which somebody worked out what it comes to.
package struct WorkedAccount: Sendable {
    /// The account of every one of them.
    package static let account = "acct-1"

    /// The whole case, on one line.
    package let line: String
    package let terms: AccountTerms
    /// In the order of their arrival.
    package let records: [DeliveredRecord]

    /// All of them.
    package static func all() throws -> [Self] {
        let path = repositoryRoot() + "/Tests/Fixtures/billing/cases.jsonl"
        return try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
            .filter { $0.contains(#""kind":"account""#) }.map { try Self(String($0)) }
    }

    private init(_ line: String) throws {
        self.line = line
        let document = try JSONDecoder().decode(Document.self, from: Data(line.utf8))
        let account = document.account
        terms = AccountTerms(
            country: account.country,
            isTaxIDValid: account.isTaxIDValid,
            currency: account.currency,
            exchangeRateMillionths: AccountTerms.exchangeRateMillionths(account.exchangeRate) ?? 0,
            discountMode: account.discountMode == "graduated" ? .graduated : .wholeVolume
        )
        records = document.records.enumerated().map { index, arrival in
            DeliveredRecord(
                entryID: "1-\(index)",
                receivedAtMilliseconds: arrival.receivedAtMilliseconds,
                fields: arrival.fields
            )
        }
    }

    private struct Document: Decodable {
        let account: Account
        let records: [Arrival]
    }

    private struct Account: Decodable {
        let country: String
        let isTaxIDValid: Bool
        let currency: String
        let exchangeRate: String
        let discountMode: String?

        enum CodingKeys: String, CodingKey {
            case country
            case isTaxIDValid = "vat_id_valid"
            case currency
            case exchangeRate = "fx"
            case discountMode = "discount_mode"
        }
    }

    private struct Arrival: Decodable {
        let receivedAtMilliseconds: Int64
        let fields: [String: String]

        enum CodingKeys: String, CodingKey {
            case receivedAtMilliseconds = "received_at_ms"
            case fields
        }
    }
}
