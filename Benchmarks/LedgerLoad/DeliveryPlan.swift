/// In which order records arrive, how they are cut into batches, and what is delivered again: as a
/// queue with several producers and consumers that die would do it.
package struct DeliveryPlan: Sendable {
    /// The numbers of the records, batch by batch; each stands in at least one.
    package let batches: [[Int]]

    /// - Parameters:
    ///   - records: how many there are.
    ///   - seed: nil: in their order, each once, in batches of `batchLimit`.
    ///   - batchLimit: the most records of a batch.
    package init(records: Int, seed: UInt64?, batchLimit: Int = 2_000) {
        var random = SplitMix(state: seed ?? 0)
        var order = Array(0..<records)
        if seed != nil { order.shuffle(using: &random) }
        var batches: [[Int]] = []
        var start = 0
        while start < records {
            let size = seed == nil ? batchLimit : 1 + random.below(batchLimit)
            let end = min(records, start + size)
            var batch = Array(order[start..<end])
            if seed != nil {
                // Some twice in one batch, some again that were delivered before.
                for _ in 0..<(batch.count / 20) { batch.append(batch[random.below(batch.count)]) }
                for _ in 0..<(batch.count / 20) { batch.append(order[random.below(end)]) }
            }
            batches.append(batch)
            if seed != nil, random.below(10) == 0, let last = batches.last { batches.append(last) }
            start = end
        }
        self.batches = batches
    }
}
