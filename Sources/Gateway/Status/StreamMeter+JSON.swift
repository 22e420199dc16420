import Metering

extension LogHistogram {
    /// Writes `{"min","mean","p50","p95","p99","max"}` in milliseconds, with three decimals.
    ///
    /// - Parameter units: how many of the recorded numbers' units make a millisecond.
    /// - Returns: a JSON object.
    func json(unitsPerMillisecond units: Int64) -> [UInt8] {
        var json = JSONObjectWriter()
        let scale = { (value: UInt64) in Int64(clamping: value) * 1_000 / units }
        json.add("min", thousandths: scale(UInt64(minimum)))
        json.add("mean", thousandths: scale(mean))
        json.add("p50", thousandths: scale(UInt64(percentile(permille: 500))))
        json.add("p95", thousandths: scale(UInt64(percentile(permille: 950))))
        json.add("p99", thousandths: scale(UInt64(percentile(permille: 990))))
        json.add("max", thousandths: scale(UInt64(maximum)))
        return json.bytes
    }
}
