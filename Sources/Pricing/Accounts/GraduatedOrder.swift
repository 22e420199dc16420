/// A provider's records of one period, in the order in which a graduated discount numbers their
/// tokens.
///
/// A tier begins inside or right before one record, its pivot. What lies before the pivot has a
/// lower rate, what follows has the tier's own; so a record that arrives out of order changes the
/// charges from the new pivot to the old one, and no others.
package struct GraduatedOrder: Sendable {
    /// Where a tier begins.
    package struct Boundary: Equatable, Sendable {
        /// The tier holds for the tokens numbered above this.
        package let tokens: Int64
        /// The first record with such a token, or without tokens behind so many; nil: none yet.
        package var pivot: RecordPlace?
        /// The tokens of all records before it; of all records, while there is none.
        package var tokensBefore: Int64

        package init(tokens: Int64, pivot: RecordPlace?, tokensBefore: Int64) {
            self.tokens = tokens
            self.pivot = pivot
            self.tokensBefore = tokensBefore
        }
    }

    package let tiers: [DiscountTier]
    /// One for each tier but the first.
    package private(set) var boundaries: [Boundary]
    /// The tokens of all records.
    package private(set) var tokens: Int64
    /// Some of the records, in order: those that what is inserted can move a boundary across.
    package private(set) var window: [GraduatedRecord]

    /// An order without records.
    package init(tiers: [DiscountTier]) {
        self.tiers = tiers
        boundaries = tiers.dropFirst().map {
            Boundary(tokens: $0.tokens, pivot: nil, tokensBefore: 0)
        }
        tokens = 0
        window = []
    }

    /// An order of which a part is known.
    ///
    /// - Parameters:
    ///   - tiers: the provider's tiers in the period.
    ///   - boundaries: one for each tier but the first.
    ///   - tokens: of all its records.
    ///   - window: sorted. From each pivot (or the end) that will move, the pivot itself and the
    ///     records before it, until these alone have more tokens than will be inserted before it.
    package init(
        tiers: [DiscountTier],
        boundaries: [Boundary],
        tokens: Int64,
        window: [GraduatedRecord]
    ) {
        precondition(boundaries.count == tiers.count - 1, "every tier but the first has a boundary")
        self.tiers = tiers
        self.boundaries = boundaries
        self.tokens = tokens
        self.window = window
    }

    /// Inserts a record that was not there.
    ///
    /// - Returns: the record with its charge, and those whose charges changed with it.
    mutating func insert(
        _ record: GraduatedRecord
    ) -> (record: GraduatedRecord, rerated: [Rerating]) {
        let place = window.firstIndex(notBefore: record.place)
        window.insert(record, at: place)
        tokens += record.tokens
        var tokensBefore: [Int: Int64] = [:]
        for index in boundaries.indices { move(index, for: record, &tokensBefore) }
        var rerated: [Rerating] = []
        for (index, before) in tokensBefore.sorted(by: { $0.key < $1.key }) {
            let old = window[index].charge
            window[index].charge = charge(of: window[index], tokensBefore: before)
            if index != place, window[index].charge != old {
                rerated.append(Rerating(record: window[index], before: old))
            }
        }
        if tokensBefore[place] == nil {
            let tier = boundaries.count { $0.pivot.map { $0 < record.place } ?? false }
            window[place].charge = TierCharge(
                subtotal: record.subtotal,
                discountBasisPoints: tiers[tier].discountBasisPoints,
                penaltyBasisPoints: record.penaltyBasisPoints
            )
        }
        return (window[place], rerated)
    }

    /// Moves a boundary towards the front after a record was inserted, and notes the tokens before
    /// each record that it may have left behind.
    private mutating func move(
        _ index: Int,
        for record: GraduatedRecord,
        _ tokensBefore: inout [Int: Int64]
    ) {
        var boundary = boundaries[index]
        var current = window.count
        var before = tokens
        if let pivot = boundary.pivot {
            guard record.place < pivot else { return }
            current = window.firstIndex(notBefore: pivot)
            precondition(
                current < window.count && window[current].place == pivot,
                "the window holds every pivot that moves"
            )
            before = boundary.tokensBefore + record.tokens
            tokensBefore[current] = before
        }
        while current > 0 {
            let previous = window[current - 1].tokens
            guard before > boundary.tokens || before - previous >= boundary.tokens else { break }
            current -= 1
            before -= previous
            tokensBefore[current] = before
        }
        boundary.pivot = current < window.count ? window[current].place : nil
        boundary.tokensBefore = before
        boundaries[index] = boundary
    }

    /// The charge of a record where each token has the rate of the last tier with its number above
    /// the tier's tokens; a record without tokens that of the last tier that those before it reach.
    package func charge(of record: GraduatedRecord, tokensBefore before: Int64) -> TierCharge {
        guard record.tokens > 0 else {
            let rate = tiers[tiers.index(reachedBy: before)].discountBasisPoints
            return TierCharge(
                subtotal: record.subtotal,
                discountBasisPoints: rate,
                penaltyBasisPoints: record.penaltyBasisPoints
            )
        }
        var shares: Int128 = 0
        for (index, tokens) in tokensByTier(of: record, tokensBefore: before).enumerated() {
            shares += Int128(tokens) * Int128(tiers[index].discountBasisPoints)
        }
        let exact = Int128(record.subtotal.nanodollars) * shares
        let discount = exact.roundedQuotient(by: 10_000 * Int128(record.tokens))
        return TierCharge(
            subtotal: record.subtotal,
            discount: Money(nanodollars: Int64(discount)),
            penaltyBasisPoints: record.penaltyBasisPoints
        )
    }

    /// How many of a record's tokens fall into each tier.
    package func tokensByTier(of record: GraduatedRecord, tokensBefore before: Int64) -> [Int64] {
        tiers.indices.map { index in
            let end = index + 1 < tiers.count ? tiers[index + 1].tokens : .max
            return max(0, min(before + record.tokens, end) - max(before, tiers[index].tokens))
        }
    }
}

/// Where a record stands in the order of its period: by its end, and then by the bytes of its id.
package struct RecordPlace: Hashable, Comparable, Sendable {
    package let endedAtMilliseconds: Int64
    package let recordID: String

    package init(endedAtMilliseconds: Int64, recordID: String) {
        self.endedAtMilliseconds = endedAtMilliseconds
        self.recordID = recordID
    }

    /// Ids are ASCII, so that texts compare as bytes do.
    package static func < (left: Self, right: Self) -> Bool {
        (left.endedAtMilliseconds, left.recordID) < (right.endedAtMilliseconds, right.recordID)
    }
}

/// What a graduated discount needs to know of a record, and what it costs now.
package struct GraduatedRecord: Equatable, Sendable {
    package let place: RecordPlace
    package let model: String
    package let tokens: Int64
    package let subtotal: Money
    /// 0 where no guarantee was broken.
    package let penaltyBasisPoints: Int64
    package internal(set) var charge: TierCharge

    package init(
        place: RecordPlace,
        model: String,
        tokens: Int64,
        subtotal: Money,
        penaltyBasisPoints: Int64,
        charge: TierCharge
    ) {
        self.place = place
        self.model = model
        self.tokens = tokens
        self.subtotal = subtotal
        self.penaltyBasisPoints = penaltyBasisPoints
        self.charge = charge
    }

    /// The record before it has a place: without discount.
    init(_ rated: RatedRecord) {
        place = rated.place
        model = rated.record.model
        tokens = rated.record.tokens
        subtotal = rated.charge.subtotal
        penaltyBasisPoints = rated.penaltyBasisPoints
        charge = rated.charge.tiers[0]
    }
}

/// A record that costs something else since another one arrived.
package struct Rerating: Equatable, Sendable {
    /// With its new charge.
    package let record: GraduatedRecord
    package let before: TierCharge

    /// What the change posts.
    var posting: Posting {
        let now = record.charge
        return Posting(
            accrued: now.charge.nanodollars - before.charge.nanodollars,
            discount: now.discount.nanodollars - before.discount.nanodollars,
            penalty: now.penalty.nanodollars - before.penalty.nanodollars,
            revenue: 0
        )
    }
}

extension [GraduatedRecord] {
    /// Where the first one stands that is not before a place, in a sorted array.
    fileprivate func firstIndex(notBefore place: RecordPlace) -> Int {
        var low = 0
        var high = count
        while low < high {
            let middle = (low + high) / 2
            if self[middle].place < place { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
