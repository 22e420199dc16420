import Metering

/// One account's running totals of one period: all that is needed to book the next record, without
/// the records before it.
package struct PeriodBook: Sendable {
    /// What the account used of one provider.
    package struct Provider: Sendable {
        package fileprivate(set) var tokens: Int64
        /// The place of the tier that the tokens reach.
        package fileprivate(set) var tier: Int
        /// That of the tier.
        package fileprivate(set) var discountBasisPoints: Int64
        /// Nil unless the discount is graduated.
        package fileprivate(set) var order: GraduatedOrder?

        package init(tokens: Int64, tier: Int, discountBasisPoints: Int64) {
            self.tokens = tokens
            self.tier = tier
            self.discountBasisPoints = discountBasisPoints
        }

        /// A provider without records.
        fileprivate init(tiers: [DiscountTier], mode: DiscountMode) {
            tokens = 0
            tier = tiers.index(reachedBy: 0)
            discountBasisPoints = tiers[tier].discountBasisPoints
            order = mode == .graduated ? GraduatedOrder(tiers: tiers) : nil
        }

        fileprivate mutating func add(_ tokens: Int64, _ tiers: [DiscountTier]) {
            self.tokens += tokens
            tier = tiers.index(reachedBy: self.tokens)
            discountBasisPoints = tiers[tier].discountBasisPoints
        }
    }

    /// What the account used of one model.
    package struct Model: Equatable, Sendable {
        package let provider: String
        package var totals = UsageTotals()

        package init(provider: String, totals: UsageTotals = UsageTotals()) {
            self.provider = provider
            self.totals = totals
        }
    }

    /// Holds for the whole period, whatever becomes of the account's terms meanwhile.
    package let mode: DiscountMode
    package private(set) var providers: [String: Provider]
    package private(set) var models: [String: Model]
    /// The sum of all that was posted; `accrued` is the provisional charge.
    package private(set) var balance: Posting
    package private(set) var firedAlerts: Set<QuotaLevel>
    private var records: Int64
    private var tokens: Int128
    private var bytesOut: Int64
    private var durationMilliseconds: Int64

    /// A period without records.
    package init(mode: DiscountMode) {
        self.init(mode: mode, providers: [:], models: [:], balance: .zero, firedAlerts: [])
    }

    /// A period as it was left; `setOrder` adds the orders of graduated discounts.
    package init(
        mode: DiscountMode,
        providers: [String: Provider],
        models: [String: Model],
        balance: Posting,
        firedAlerts: Set<QuotaLevel>
    ) {
        self.mode = mode
        self.providers = providers
        self.models = models
        self.balance = balance
        self.firedAlerts = firedAlerts
        records = models.values.reduce(0) { $0 + $1.totals.records }
        tokens = providers.values.reduce(0) { $0 + Int128($1.tokens) }
        bytesOut = models.values.reduce(0) { $0 + $1.totals.bytesOut }
        durationMilliseconds = models.values.reduce(0) { $0 + $1.totals.durationMilliseconds }
    }

    /// Books a record that was not booked before.
    ///
    /// - Parameters:
    ///   - rated: a record of this account that is billed in this period.
    ///   - quotas: what to watch.
    /// - Returns: what it does to the books; nil, and no change, when a total would not fit into
    ///   64 bits.
    package mutating func add(_ rated: RatedRecord, quotas: [Quota] = []) -> Booking? {
        guard fits(rated) else { return nil }
        let record = rated.record
        var provider =
            providers.removeValue(forKey: rated.provider)
            ?? Provider(tiers: rated.tiers, mode: mode)
        let tierBefore = provider.tier
        provider.add(record.tokens, rated.tiers)
        let tier = provider.tier
        var adjustment = Posting.zero
        if mode == .wholeVolume, tier != tierBefore {
            adjustment = crossing(of: rated.provider, from: tierBefore, to: tier)
        }
        precondition(
            provider.order != nil || mode != .graduated,
            "the order of a graduated discount is there before a record is added"
        )
        let graduated = provider.order?.insert(GraduatedRecord(rated))
        let charge = graduated?.record.charge ?? rated.charge.tiers[tier]
        providers[rated.provider] = provider
        models[record.model, default: Model(provider: rated.provider)].totals.add(
            rated,
            graduated: graduated?.record.charge
        )
        for rerating in graduated?.rerated ?? [] {
            models[rerating.record.model]?.totals.add(rerating)
            adjustment = adjustment + rerating.posting
        }
        records += 1
        tokens += Int128(record.tokens)
        bytesOut += record.bytesOut
        durationMilliseconds += record.durationMilliseconds
        // What a graduated discount gives depends on records that are still to come: it is adjusted.
        let postedTier = graduated == nil ? tier : 0
        let posting = Posting(rated.charge.tiers[postedTier], subtotal: rated.charge.subtotal)
        if let graduated {
            let before = rated.charge.tiers[0]
            adjustment = adjustment + Rerating(record: graduated.record, before: before).posting
        }
        balance = balance + posting + adjustment
        return Booking(
            charge: charge,
            postedTier: postedTier,
            posting: posting,
            adjustment: adjustment == .zero ? nil : adjustment,
            graduated: graduated?.record,
            rerated: graduated?.rerated ?? [],
            alerts: fire(quotas, rated)
        )
    }

    /// Gives a provider's order the records that it needs to know next.
    package mutating func setOrder(_ order: GraduatedOrder, of provider: String) {
        providers[provider]?.order = order
    }

    private func fits(_ rated: RatedRecord) -> Bool {
        let record = rated.record
        // Nothing else is larger: discounts and penalties are parts of the subtotal.
        let (_, subtotal) = balance.revenue.subtractingReportingOverflow(
            rated.charge.subtotal.nanodollars
        )
        let (_, bytes) = bytesOut.addingReportingOverflow(record.bytesOut)
        let (_, duration) = durationMilliseconds.addingReportingOverflow(
            record.durationMilliseconds
        )
        return !subtotal && !bytes && !duration
            && tokens + Int128(record.tokens) <= Int128(Int64.max)
    }

    /// What changes for the records that are there when another tier holds for them.
    private func crossing(of provider: String, from old: Int, to new: Int) -> Posting {
        var change = Posting.zero
        for model in models.values where model.provider == provider {
            let before = model.totals.posting(model.totals.current(mode, tier: old))
            let after = model.totals.posting(model.totals.current(mode, tier: new))
            change.accrued += after.accrued - before.accrued
            change.discount += after.discount - before.discount
            change.penalty += after.penalty - before.penalty
        }
        return change
    }

    private mutating func fire(_ quotas: [Quota], _ rated: RatedRecord) -> [QuotaAlert] {
        var alerts: [QuotaAlert] = []
        for (index, quota) in quotas.enumerated() {
            let (used, limit) =
                switch quota {
                case .tokens(let limit): (tokens, Int128(limit))
                case .spend(let limit): (Int128(balance.accrued), Int128(limit.nanodollars))
                }
            for percent in rated.alertLevels where used * 100 >= limit * Int128(percent) {
                let level = QuotaLevel(
                    quota: quota,
                    repetition: quotas[..<index].count { $0 == quota },
                    percent: percent
                )
                guard firedAlerts.insert(level).inserted else { continue }
                alerts.append(QuotaAlert(level: level, recordID: rated.record.recordID))
            }
        }
        return alerts
    }
}

/// What booking a record did.
package struct Booking: Sendable {
    /// What the record costs as things stand.
    package let charge: TierCharge
    /// The place of the tier that it is posted at.
    package let postedTier: Int
    package let posting: Posting
    /// What the record changed for those before it, and where the discount is graduated for itself;
    /// nil: nothing.
    package let adjustment: Posting?
    /// The record as the graduated discount has it; nil where it is not graduated.
    package let graduated: GraduatedRecord?
    /// Which others cost something else now, where it is.
    package let rerated: [Rerating]
    package let alerts: [QuotaAlert]
}

/// A share of a quota; it is reached once per period.
package struct QuotaLevel: Hashable, Sendable {
    package let quota: Quota
    /// How many equal quotas stand before it in the account's terms.
    package let repetition: Int
    package let percent: Int64

    package init(quota: Quota, repetition: Int = 0, percent: Int64) {
        self.quota = quota
        self.repetition = repetition
        self.percent = percent
    }
}

/// A share of a quota that was reached.
package struct QuotaAlert: Equatable, Sendable {
    package let level: QuotaLevel
    /// The record that reached it.
    package let recordID: String
}
