extension PriceList {
    /// The key of models that cost nothing: test models and a machine's own.
    package static let freeModel = "free"

    /// The list with one more model, `free`, whose records are kept and charged nothing.
    ///
    /// It is the gateway's own word, not part of a price list: records that name it are accepted
    /// only by who adds it.
    package func addingFree() -> PriceList {
        var list = self
        list.models[Self.freeModel] = ModelPrice(
            model: Self.freeModel,
            provider: Self.freeModel,
            perSecond: .zero,
            perMegabyte: .zero,
            premiumThresholdBytes: 0,
            premiumPerKilobyte: .zero,
            perThousandInputTokens: .zero,
            perThousandOutputTokens: .zero,
            base: .zero,
            perHour: .zero,
            guarantee: ServiceGuarantee(
                uptimeBasisPoints: 0,
                latencyMilliseconds: 3_600_000,
                bytesPerSecond: 0,
                penaltyBasisPoints: 0
            )
        )
        return list
    }
}
