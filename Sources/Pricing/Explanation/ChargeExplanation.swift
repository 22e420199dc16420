import Metering
import StreamBytes

/// A charge as arithmetic that can be checked by hand: every factor, rounding, guarantee and tier.
package struct ChargeExplanation: Sendable {
    /// How the discount reaches the record.
    package enum Discount: Equatable, Sendable {
        /// The tier that all of the provider's tokens of the period reach holds for every record.
        case wholeVolume(providerTokens: Int64)
        /// Each token has the rate of its own tier; the number is that of the tokens before the
        /// record in the order of the period.
        case graduated(tokensBefore: Int64, providerTokens: Int64)
    }

    package let rated: RatedRecord
    package let list: PriceList
    package let discount: Discount
    private let price: ModelPrice

    /// - Parameters:
    ///   - rated: the record, rated by `list`.
    ///   - list: the price list in force when it ended.
    ///   - discount: what is known of the period as it stands.
    package init(_ rated: RatedRecord, by list: PriceList, discount: Discount) {
        guard let price = list.price(of: rated.record.model) else {
            preconditionFailure("a record is explained by the price list that it was rated by")
        }
        self.rated = rated
        self.list = list
        self.discount = discount
        self.price = price
    }

    /// What the record costs as things stand.
    package var charge: TierCharge {
        switch discount {
        case .wholeVolume(let tokens): rated.charge.tiers[rated.tiers.index(reachedBy: tokens)]
        case .graduated(let before, _):
            order.charge(of: GraduatedRecord(rated), tokensBefore: before)
        }
    }

    /// The text, line by line; amounts are US dollars.
    package var lines: [String] {
        origin + [""] + components + [""] + guarantees + [""] + discountLines + [""] + result
    }

    private var order: GraduatedOrder { GraduatedOrder(tiers: rated.tiers) }

    // MARK: Parts

    private var origin: [String] {
        let record = rated.record
        let received = WallTime(milliseconds: rated.delivered.receivedAtMilliseconds).text
        let ended = WallTime(milliseconds: record.endedAtMilliseconds).text
        let since =
            list.effectiveFrom.milliseconds == .min
            ? "from the beginning" : "from \(list.effectiveFrom.text)"
        var lines = [
            "record      \(record.recordID): account \(record.accountID), "
                + "stream \(record.connectionID), segment \(record.segment)",
            "model       \(record.model), provider \(rated.provider)",
            "price list  \(list.version), in force \(since)",
            "ended       \(ended), received \(received)",
            "period      \(rated.period)",
        ]
        if rated.isLate {
            let own = CalendarMonth(containing: WallTime(milliseconds: record.endedAtMilliseconds))
            lines[4] += ": late, \(own) was closed already"
        }
        return lines
    }

    private var components: [String] {
        let record = rated.record
        let parts = rated.charge.components
        let premium = max(0, record.bytesOut - price.premiumThresholdBytes)
        let milliseconds = record.durationMilliseconds
        var lines = ["components, each rounded to nine decimals, ties away from zero:"]
        lines.append(
            part("stream_time", milliseconds, "ms", 1_000, price.perSecond, parts.streamTime)
        )
        lines.append(
            part(
                "stream_bytes",
                record.bytesOut,
                "B",
                1_000_000,
                price.perMegabyte,
                parts.streamBytes
            )
        )
        lines.append(
            "  " + label("bandwidth_premium")
                + "max(0, \(record.bytesOut) - \(price.premiumThresholdBytes)) = \(premium) B"
        )
        lines.append(
            part("", premium, "B", 1_000, price.premiumPerKilobyte, parts.bandwidthPremium)
        )
        lines.append(
            part(
                "tokens_in",
                record.inputTokens,
                "tokens",
                1_000,
                price.perThousandInputTokens,
                parts.tokensIn
            )
        )
        lines.append(
            part(
                "tokens_out",
                record.outputTokens,
                "tokens",
                1_000,
                price.perThousandOutputTokens,
                parts.tokensOut
            )
        )
        lines.append(
            "  " + label("infra_base")
                + (record.segment == 0
                    ? "segment 0 = \(parts.infraBase)"
                    : "segment \(record.segment), paid by segment 0 only = \(parts.infraBase)")
        )
        lines.append(
            part("infra_time", milliseconds, "ms", 3_600_000, price.perHour, parts.infraTime)
        )
        lines.append("  " + label("subtotal") + "the sum of these = \(parts.subtotal)")
        return lines
    }

    private func part(
        _ name: String,
        _ count: Int64,
        _ unit: String,
        _ divisor: Int64,
        _ price: Money,
        _ rounded: Money
    ) -> String {
        let exact = ExactAmount(Int128(price.nanodollars) * Int128(count), over: Int128(divisor))
        return "  \(label(name))\(count) \(unit) / \(divisor) x \(price) = "
            + exact.rounded(to: rounded)
    }

    private func label(_ name: String) -> String {
        name + String(repeating: " ", count: max(1, 19 - name.utf8.count))
    }

    private var guarantees: [String] {
        let record = rated.record
        guard record.slaExclusion != true else {
            return ["guarantees: none is judged, sla_excluded is 1"]
        }
        let (guarantee, broken) = (price.guarantee, rated.charge.breaches)
        func verdict(_ breach: ServiceBreach) -> String {
            broken.contains(breach) ? "broken" : "kept"
        }
        let duration = Int128(record.durationMilliseconds)
        let up = (duration - Int128(record.downtimeMilliseconds)) * 10_000
        var lines = ["guarantees; being exactly at one keeps it:"]
        lines.append(
            "  \(label("uptime"))(\(duration) - \(record.downtimeMilliseconds)) ms x 10000 = \(up), "
                + "at least \(guarantee.uptimeBasisPoints) x \(duration) = "
                + "\(Int128(guarantee.uptimeBasisPoints) * duration) is promised: \(verdict(.uptime))"
        )
        let latency = record.latencyMicroseconds.map {
            "\($0) us, at most \(guarantee.latencyMilliseconds) ms x 1000 = "
                + "\(Int128(guarantee.latencyMilliseconds) * 1_000) is promised: "
                + verdict(.latency)
        }
        lines.append("  " + label("latency") + (latency ?? "not measured: kept"))
        let (busy, least) = (Int128(record.busyMilliseconds), list.minimumBusyMilliseconds)
        lines.append(
            "  " + label("bandwidth")
                + (record.busyMilliseconds < least
                    ? "busy for \(busy) ms, judged from \(least) ms on: kept"
                    : "\(record.bytesOut) B x 1000 = \(Int128(record.bytesOut) * 1_000), "
                        + "at least \(guarantee.bytesPerSecond) x \(busy) ms = "
                        + "\(Int128(guarantee.bytesPerSecond) * busy) is promised: "
                        + verdict(.bandwidth))
        )
        return lines
    }

    private var discountLines: [String] {
        var lines: [String]
        switch discount {
        case .wholeVolume(let tokens):
            lines = [
                "discount, whole-volume: all of \(rated.provider)'s \(tokens) tokens of "
                    + "\(rated.period) decide:"
            ]
            let reached = rated.tiers.index(reachedBy: tokens)
            for (index, tier) in rated.tiers.enumerated() {
                let charge = rated.charge.tiers[index]
                lines.append(
                    "  \(label("tier \(index)"))from \(tier.tokens) tokens on, "
                        + "\(tier.discountBasisPoints) bp: the record would cost \(charge.charge)"
                        + (index == reached ? "   <- holds" : "")
                )
            }
        case .graduated(let before, let tokens):
            lines = [
                "discount, graduated: \(before) of \(rated.provider)'s \(tokens) tokens of "
                    + "\(rated.period) are before the record's \(rated.record.tokens):"
            ]
            let shares = order.tokensByTier(of: GraduatedRecord(rated), tokensBefore: before)
            for (index, tier) in rated.tiers.enumerated() {
                lines.append(
                    "  \(label("tier \(index)"))tokens above number \(tier.tokens), "
                        + "\(tier.discountBasisPoints) bp: \(shares[index]) of the record's"
                )
            }
        }
        return lines
    }

    private var result: [String] {
        let (subtotal, charge) = (rated.charge.subtotal, charge)
        let penalty = rated.penaltyBasisPoints
        let broken = rated.charge.breaches.map(\.rawValue).joined(separator: " and ")
        return [
            "  " + label("discount") + discountText(of: charge),
            "  \(label("net"))\(subtotal) - \(charge.discount) = \(charge.net)",
            "  " + label("sla_penalty")
                + (penalty == 0
                    ? "no guarantee was broken = \(charge.penalty)"
                    : "once for \(broken): \(charge.net) x \(penalty) / 10000 = "
                        + ExactAmount(
                            Int128(charge.net.nanodollars) * Int128(penalty),
                            over: 10_000
                        ).rounded(to: charge.penalty)),
            "  \(label("charge"))\(charge.net) - \(charge.penalty) = \(charge.charge)",
        ]
    }

    private func discountText(of charge: TierCharge) -> String {
        let subtotal = rated.charge.subtotal
        let amount = Int128(subtotal.nanodollars)
        let tokens = rated.record.tokens
        guard case .graduated(let before, _) = discount, tokens > 0 else {
            let rate = currentRate
            return "\(subtotal) x \(rate) / 10000 = "
                + ExactAmount(amount * Int128(rate), over: 10_000).rounded(to: charge.discount)
        }
        let shares = order.tokensByTier(of: GraduatedRecord(rated), tokensBefore: before)
        let terms = zip(shares, rated.tiers).filter { $0.0 > 0 }
        let sum = terms.reduce(Int128(0)) {
            $0 + Int128($1.0) * Int128($1.1.discountBasisPoints)
        }
        let text = terms.map { "\($0.0) x \($0.1.discountBasisPoints)" }.joined(separator: " + ")
        return "\(subtotal) x (\(text)) / (10000 x \(tokens)) = "
            + ExactAmount(amount * sum, over: 10_000 * Int128(tokens)).rounded(to: charge.discount)
    }

    /// The rate of a record that has one alone.
    private var currentRate: Int64 {
        let tokens =
            switch discount {
            case .wholeVolume(let tokens): tokens
            case .graduated(let before, _): before
            }
        return rated.tiers[rated.tiers.index(reachedBy: tokens)].discountBasisPoints
    }
}

/// A quotient of nano-dollars before it is rounded.
private struct ExactAmount {
    /// More decimals than any prices need; what has more is cut and marked.
    private static let decimals = 18

    private let text: String

    init(_ numerator: Int128, over denominator: Int128) {
        let (whole, rest) = numerator.quotientAndRemainder(dividingBy: denominator * 1_000_000_000)
        var remainder = rest
        var digits = ""
        while digits.utf8.count < Self.decimals, remainder != 0 || digits.utf8.count < 9 {
            // The rest is smaller than the divisor, which has room for one more digit.
            let (digit, next) = (remainder * 10).quotientAndRemainder(
                dividingBy: denominator * 1_000_000_000
            )
            digits += String(digit)
            remainder = next
        }
        text = "\(whole).\(digits)" + (remainder == 0 ? "" : "…")
    }

    /// The amount, and behind an arrow what it was rounded to, where that is not the same.
    func rounded(to money: Money) -> String {
        text == money.description ? text : "\(text) -> \(money)"
    }
}
