import FoundationEssentials
import Metering

/// Rates one case of a cases file: the heart of `weir rate`.
///
/// A case is one JSON object with `id` and `kind`. Those of the kinds `rate` and `reject` have a
/// `record` (text to text) and a `context` with `received_at_ms` and `provider_period_tokens`;
/// those of the kind `account` have an `account`, its `records`, and maybe `checkpoints`.
package struct RateCommand: Sendable {
    private let prices: PriceBook

    package init(prices: PriceBook) { self.prices = prices }

    /// What became of a line.
    package enum Answer: Equatable, Sendable {
        /// `{"id":…,"expect":{…}}`: the breakdown, or the rejection.
        case result(String)
        /// A kind of case that is not known here.
        case skipped(kind: String)
        /// The line is no case; the text says why.
        case malformed(String)
    }

    package func answer(_ line: String) -> Answer {
        let data = Data(line.utf8)
        let decoder = JSONDecoder()
        guard let head = try? decoder.decode(CaseHead.self, from: data) else {
            return .malformed("no JSON object with the texts id and kind")
        }
        switch head.kind {
        case "rate", "reject":
            guard let rated = try? decoder.decode(RateCase.self, from: data) else {
                return .malformed("a \(head.kind) case needs record and context")
            }
            return result(head, expectation(rated))
        case "account":
            guard let account = try? decoder.decode(AccountCase.self, from: data),
                let expectation = account.expectation(prices: prices)
            else { return .malformed("an account case needs a sound account and records") }
            return result(head, expectation)
        default: return .skipped(kind: head.kind)
        }
    }

    private func result(_ head: CaseHead, _ expectation: String) -> Answer {
        .result("{\"id\":\(jsonText(head.id)),\"expect\":\(expectation)}")
    }

    private func expectation(_ rated: RateCase) -> String {
        let delivered = DeliveredRecord(
            entryID: "",
            receivedAtMilliseconds: rated.context.receivedAtMilliseconds,
            fields: rated.record
        )
        switch prices.settle(delivered) {
        case .rated(let entry):
            return breakdown(
                entry.charge,
                tier: entry.tiers.index(reachedBy: rated.context.providerPeriodTokens),
                period: entry.period.description,
                isLate: entry.isLate
            )
        case .rejected(_, let rejection):
            return "{\"rejected\":{\"reason\":\"\(rejection.reason.rawValue)\","
                + "\"field\":\(jsonText(rejection.field))}}"
        }
    }

    private func breakdown(
        _ charge: Charge,
        tier: Int,
        period: String,
        isLate: Bool
    ) -> String {
        let parts = charge.components
        let rated = charge.tiers[tier]
        let breaches = charge.breaches.map { "\"\($0.rawValue)\"" }.joined(separator: ",")
        return """
            {"period":"\(period)","late":\(isLate),"components":{\
            "stream_time":"\(parts.streamTime)","stream_bytes":"\(parts.streamBytes)",\
            "bandwidth_premium":"\(parts.bandwidthPremium)","tokens_in":"\(parts.tokensIn)",\
            "tokens_out":"\(parts.tokensOut)","infra_base":"\(parts.infraBase)",\
            "infra_time":"\(parts.infraTime)"},"subtotal":"\(charge.subtotal)",\
            "discount_bp":\(rated.discountBasisPoints),"discount":"\(rated.discount)",\
            "net":"\(rated.net)","sla_breaches":[\(breaches)],\
            "sla_penalty":"\(rated.penalty)","charge":"\(rated.charge)"}
            """
    }
}

private struct CaseHead: Decodable {
    let id: String
    let kind: String
}

private struct RateCase: Decodable {
    let record: [String: String]
    let context: Context

    struct Context: Decodable {
        let receivedAtMilliseconds: Int64
        let providerPeriodTokens: Int64

        enum CodingKeys: String, CodingKey {
            case receivedAtMilliseconds = "received_at_ms"
            case providerPeriodTokens = "provider_period_tokens"
        }
    }
}

/// The text as a JSON string, quotes included.
func jsonText(_ text: String) -> String {
    var json = "\""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "\"", "\\": json += "\\\(scalar)"
        case "\u{0}"..."\u{1F}":
            let digits = String(scalar.value, radix: 16)
            json += "\\u" + String(repeating: "0", count: 4 - digits.utf8.count) + digits
        default: json.unicodeScalars.append(scalar)
        }
    }
    return json + "\""
}
