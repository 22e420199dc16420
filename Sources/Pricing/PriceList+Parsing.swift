import FoundationEssentials
import Metering
import StreamBytes

/// Why a price list cannot be used.
///
/// Places are written as a path, such as `models.openai/gpt-4.sla.uptime_bp`.
package enum PriceListError: Error, Equatable {
    /// The text is no JSON; what the parser says of it.
    case notJSON(String)
    case missing(place: String)
    case wrongType(place: String)
    /// The value is not allowed there; the text says what is.
    case invalid(place: String, expected: String)
}

extension PriceList {
    /// The most tiers that a provider may have.
    package static let tierLimit = 8

    /// Reads a price list from JSON and checks it.
    ///
    /// A list is refused when a record at its own limits could cost more than fits into `Money`, so
    /// that rating never overflows. Keys that are not known are ignored.
    package init(parsing json: [UInt8]) throws(PriceListError) {
        try self.init(decoded(PriceListDocument.self, json))
    }

    /// Reads the price lists of a file: one, or a JSON array of them.
    package static func lists(parsing json: [UInt8]) throws(PriceListError) -> [PriceList] {
        let isArray =
            json.first { ![0x20, 0x09, 0x0A, 0x0D].contains($0) } == UInt8(ascii: "[")
        guard isArray else { return [try PriceList(parsing: json)] }
        var lists: [PriceList] = []
        for document in try decoded([PriceListDocument].self, json) {
            lists.append(try PriceList(document))
        }
        return lists
    }

    private init(_ document: PriceListDocument) throws(PriceListError) {
        try Self.checkUnits(document)
        effectiveFrom = try Self.effectiveFrom(document)
        text = try Self.text(of: document)
        guard document.slaRules.minimumBusy >= 0 else {
            throw .invalid(
                place: "sla_rules.min_busy_ms_for_bandwidth",
                expected: "a number from 0"
            )
        }
        for (currency, decimals) in document.currencyDecimals {
            guard (0...6).contains(decimals) else {
                throw .invalid(place: "currency_exponents.\(currency)", expected: "0 to 6")
            }
        }
        for (index, level) in document.alertLevels.enumerated() {
            guard (1...1_000).contains(level) else {
                throw .invalid(place: "alert_levels.\(index)", expected: "1 to 1000 percent")
            }
        }
        currencyDecimals = document.currencyDecimals
        alertLevels = document.alertLevels
        taxes = try TaxRules(document.tax)
        version = document.version
        minimumBusyMilliseconds = document.slaRules.minimumBusy
        times = try TimeRules(document.timeRules)
        limits = try RecordLimits(document.limits)
        var models: [String: ModelPrice] = [:]
        for (name, model) in document.models {
            models[name] = try ModelPrice(name: name, model)
        }
        self.models = models
        var tiers: [String: [DiscountTier]] = [:]
        for (provider, listed) in document.volumeDiscounts {
            tiers[provider] = try Self.tiers(listed, place: "volume_discounts.\(provider)")
        }
        discountTiers = tiers
        try checkLargestCharges()
    }

    private static func effectiveFrom(
        _ document: PriceListDocument
    ) throws(PriceListError) -> WallTime {
        guard let written = document.effectiveFrom else { return WallTime(milliseconds: .min) }
        guard let instant = WallTime(text: written) else {
            throw .invalid(
                place: "effective_from",
                expected: "a day (2026-02-01) or an instant (2026-02-01T12:00:00Z)"
            )
        }
        return instant
    }

    private static func text(of document: PriceListDocument) throws(PriceListError) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do {
            return String(decoding: try encoder.encode(document), as: UTF8.self)
        } catch {
            throw .notJSON("a text in it cannot be written")
        }
    }

    private static func checkUnits(_ document: PriceListDocument) throws(PriceListError) {
        guard document.currency == "USD" else { throw .invalid(place: "currency", expected: "USD") }
        let units: [(String, Int64)] = [
            ("nano_per_dollar", 1_000_000_000), ("bytes_per_mb", 1_000_000),
            ("bytes_per_kb", 1_000),
            ("ms_per_second", 1_000), ("ms_per_hour", 3_600_000), ("tokens_per_price", 1_000),
        ]
        for (name, size) in units {
            guard let listed = document.units[name] else { throw .missing(place: "units.\(name)") }
            guard listed == size else {
                throw .invalid(place: "units.\(name)", expected: String(size))
            }
        }
    }

    private static func tiers(
        _ listed: [PriceListDocument.Tier],
        place: String
    ) throws(PriceListError) -> [DiscountTier] {
        guard listed.count <= tierLimit else {
            throw .invalid(place: place, expected: "at most \(tierLimit) tiers")
        }
        var tiers: [DiscountTier] = []
        for (index, tier) in listed.enumerated() {
            let place = "\(place).\(index)"
            guard tier.tokens > tiers.last?.tokens ?? -1 else {
                throw .invalid(place: "\(place).tokens", expected: "more than in the tier before")
            }
            try checkBasisPoints(tier.discount, place: "\(place).discount_bp")
            tiers.append(DiscountTier(tokens: tier.tokens, discountBasisPoints: tier.discount))
        }
        return tiers
    }

    private func checkLargestCharges() throws(PriceListError) {
        for (name, price) in models {
            let usage = RatedUsage(
                isFirst: true,
                durationMilliseconds: limits.durationMilliseconds,
                bytesOut: limits.bytesOut,
                inputTokens: limits.inputTokens,
                outputTokens: limits.outputTokens
            )
            guard ChargeComponents(usage, at: price) != nil else {
                throw .invalid(
                    place: "models.\(name)",
                    expected: "prices at which the largest record costs under 9 billion dollars"
                )
            }
        }
    }
}

private func decoded<Document: Decodable>(
    _ type: Document.Type,
    _ json: [UInt8]
) throws(PriceListError) -> Document {
    do {
        return try JSONDecoder().decode(type, from: Data(json))
    } catch let error as DecodingError {
        throw PriceListError(error)
    } catch {
        throw .notJSON("unreadable")
    }
}

/// Checks a share in hundredths of a percent.
private func checkBasisPoints(_ value: Int64, place: String) throws(PriceListError) {
    guard (0...10_000).contains(value) else {
        throw .invalid(place: place, expected: "0 to 10000")
    }
}

/// Checks a number that must not be negative.
private func checkNotNegative(_ value: Int64, place: String) throws(PriceListError) {
    guard value >= 0 else { throw .invalid(place: place, expected: "a number from 0") }
}

extension ModelPrice {
    fileprivate init(name: String, _ model: PriceListDocument.Model) throws(PriceListError) {
        let place = "models.\(name)"
        func price(_ text: String, _ key: String) throws(PriceListError) -> Money {
            guard let money = Money(decimal: text) else {
                throw .invalid(
                    place: "\(place).\(key)",
                    expected: "dollars with at most 9 decimals"
                )
            }
            return money
        }
        try checkNotNegative(
            model.premiumThresholdBytes,
            place: "\(place).premium_threshold_bytes"
        )
        self.model = name
        provider = model.provider
        perSecond = try price(model.streamPerSecond, "stream_per_second")
        perMegabyte = try price(model.streamPerMegabyte, "stream_per_mb")
        premiumThresholdBytes = model.premiumThresholdBytes
        premiumPerKilobyte = try price(model.premiumPerKilobyte, "premium_per_kb")
        perThousandInputTokens = try price(model.inputPerThousand, "input_per_1k")
        perThousandOutputTokens = try price(model.outputPerThousand, "output_per_1k")
        base = try price(model.infraBase, "infra_base")
        perHour = try price(model.infraPerHour, "infra_per_hour")
        guarantee = try ServiceGuarantee(model.sla, place: "\(place).sla")
    }
}

extension ServiceGuarantee {
    fileprivate init(
        _ listed: PriceListDocument.Guarantee,
        place: String
    ) throws(PriceListError) {
        try checkBasisPoints(listed.uptime, place: "\(place).uptime_bp")
        try checkBasisPoints(listed.penalty, place: "\(place).penalty_bp")
        try checkNotNegative(listed.latency, place: "\(place).latency_ms")
        try checkNotNegative(listed.bandwidth, place: "\(place).bandwidth_bytes_per_second")
        uptimeBasisPoints = listed.uptime
        latencyMilliseconds = listed.latency
        bytesPerSecond = listed.bandwidth
        penaltyBasisPoints = listed.penalty
    }
}

extension TaxRules {
    fileprivate init(_ listed: PriceListDocument.Tax) throws(PriceListError) {
        var rates: [String: [TaxRate]] = [:]
        for (country, steps) in listed.standardRates {
            for (index, step) in steps.enumerated() {
                let place = "tax.eu_standard_rates.\(country).\(index)"
                try checkBasisPoints(step.rate, place: "\(place).rate_bp")
                let before = index == 0 ? "" : steps[index - 1].from
                guard step.from.utf8.count == 10, before < step.from else {
                    throw .invalid(place: "\(place).from", expected: "a later day, yyyy-mm-dd")
                }
            }
            rates[country] = steps.map { TaxRate(firstDay: $0.from, basisPoints: $0.rate) }
        }
        sellerCountry = listed.sellerCountry
        standardRates = rates
    }
}

extension TimeRules {
    fileprivate init(_ listed: PriceListDocument.Times) throws(PriceListError) {
        try checkNotNegative(listed.grace, place: "time_rules.grace_ms")
        guard listed.grace <= 366 * 86_400_000 else {
            throw .invalid(place: "time_rules.grace_ms", expected: "at most 366 days")
        }
        try checkNotNegative(listed.maximumAge, place: "time_rules.max_age_ms")
        try checkNotNegative(listed.maximumFuture, place: "time_rules.max_future_ms")
        graceMilliseconds = listed.grace
        maximumAgeMilliseconds = listed.maximumAge
        maximumFutureMilliseconds = listed.maximumFuture
    }
}

extension RecordLimits {
    fileprivate init(_ listed: PriceListDocument.Limits) throws(PriceListError) {
        let counts = [
            ("segment", listed.segment), ("ended_at_ms_min", listed.endedAtLowest),
            ("duration_ms", listed.duration), ("bytes_out", listed.bytesOut),
            ("input_tokens", listed.inputTokens), ("output_tokens", listed.outputTokens),
            ("downtime_ms", listed.downtime), ("busy_ms", listed.busy),
            ("latency_us", listed.latency),
        ]
        for (name, value) in counts { try checkNotNegative(value, place: "limits.\(name)") }
        guard listed.endedAtLowest <= listed.endedAtHighest else {
            throw .invalid(place: "limits.ended_at_ms_max", expected: "at least ended_at_ms_min")
        }
        segment = listed.segment
        endedAtMilliseconds = listed.endedAtLowest...listed.endedAtHighest
        durationMilliseconds = listed.duration
        bytesOut = listed.bytesOut
        inputTokens = listed.inputTokens
        outputTokens = listed.outputTokens
        downtimeMilliseconds = listed.downtime
        busyMilliseconds = listed.busy
        latencyMicroseconds = listed.latency
    }
}

extension PriceListError {
    fileprivate init(_ error: DecodingError) {
        func place(_ path: [any CodingKey], _ last: (any CodingKey)? = nil) -> String {
            (path + (last.map { [$0] } ?? [])).map { key in
                key.intValue.map { String($0) } ?? key.stringValue
            }.joined(separator: ".")
        }
        switch error {
        case .keyNotFound(let key, let context):
            self = .missing(place: place(context.codingPath, key))
        case .valueNotFound(_, let context), .typeMismatch(_, let context):
            self = .wrongType(place: place(context.codingPath))
        case .dataCorrupted(let context) where !context.codingPath.isEmpty:
            self = .wrongType(place: place(context.codingPath))
        case .dataCorrupted(let context): self = .notJSON(context.debugDescription)
        @unknown default: self = .notJSON("unreadable")
        }
    }
}
