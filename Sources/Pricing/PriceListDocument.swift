/// The JSON form of a price list.
struct PriceListDocument: Codable {
    let version: String
    let effectiveFrom: String?
    let currency: String
    let units: [String: Int64]
    let models: [String: Model]
    let volumeDiscounts: [String: [Tier]]
    let slaRules: ServiceRules
    let timeRules: Times
    let limits: Limits
    let currencyDecimals: [String: Int]
    let alertLevels: [Int64]
    let tax: Tax

    enum CodingKeys: String, CodingKey {
        case version
        case effectiveFrom = "effective_from"
        case currency
        case units
        case models
        case volumeDiscounts = "volume_discounts"
        case slaRules = "sla_rules"
        case timeRules = "time_rules"
        case limits
        case currencyDecimals = "currency_exponents"
        case alertLevels = "alert_levels"
        case tax
    }

    struct Tax: Codable {
        let sellerCountry: String
        let standardRates: [String: [Rate]]

        enum CodingKeys: String, CodingKey {
            case sellerCountry = "seller_country"
            case standardRates = "eu_standard_rates"
        }
    }

    struct Rate: Codable {
        let from: String
        let rate: Int64

        enum CodingKeys: String, CodingKey {
            case from
            case rate = "rate_bp"
        }
    }

    struct Model: Codable {
        let provider: String
        let streamPerSecond: String
        let streamPerMegabyte: String
        let premiumThresholdBytes: Int64
        let premiumPerKilobyte: String
        let inputPerThousand: String
        let outputPerThousand: String
        let infraBase: String
        let infraPerHour: String
        let sla: Guarantee

        enum CodingKeys: String, CodingKey {
            case provider
            case streamPerSecond = "stream_per_second"
            case streamPerMegabyte = "stream_per_mb"
            case premiumThresholdBytes = "premium_threshold_bytes"
            case premiumPerKilobyte = "premium_per_kb"
            case inputPerThousand = "input_per_1k"
            case outputPerThousand = "output_per_1k"
            case infraBase = "infra_base"
            case infraPerHour = "infra_per_hour"
            case sla
        }
    }

    struct Guarantee: Codable {
        let uptime: Int64
        let latency: Int64
        let bandwidth: Int64
        let penalty: Int64

        enum CodingKeys: String, CodingKey {
            case uptime = "uptime_bp"
            case latency = "latency_ms"
            case bandwidth = "bandwidth_bytes_per_second"
            case penalty = "penalty_bp"
        }
    }

    struct Tier: Codable {
        let tokens: Int64
        let discount: Int64

        enum CodingKeys: String, CodingKey {
            case tokens
            case discount = "discount_bp"
        }
    }

    struct ServiceRules: Codable {
        let minimumBusy: Int64

        enum CodingKeys: String, CodingKey {
            case minimumBusy = "min_busy_ms_for_bandwidth"
        }
    }

    struct Times: Codable {
        let grace: Int64
        let maximumAge: Int64
        let maximumFuture: Int64

        enum CodingKeys: String, CodingKey {
            case grace = "grace_ms"
            case maximumAge = "max_age_ms"
            case maximumFuture = "max_future_ms"
        }
    }

    struct Limits: Codable {
        let segment: Int64
        let endedAtLowest: Int64
        let endedAtHighest: Int64
        let duration: Int64
        let bytesOut: Int64
        let inputTokens: Int64
        let outputTokens: Int64
        let downtime: Int64
        let busy: Int64
        let latency: Int64

        enum CodingKeys: String, CodingKey {
            case segment
            case endedAtLowest = "ended_at_ms_min"
            case endedAtHighest = "ended_at_ms_max"
            case duration = "duration_ms"
            case bytesOut = "bytes_out"
            case inputTokens = "input_tokens"
            case outputTokens = "output_tokens"
            case downtime = "downtime_ms"
            case busy = "busy_ms"
            case latency = "latency_us"
        }
    }
}
