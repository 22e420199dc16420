import Metering
import Testing

@Suite struct LogHistogramTests {
    @Test func `it fits in about 180 bytes`() {
        #expect(MemoryLayout<LatencyHistogram>.size <= 184)
    }

    @Test func `an empty histogram answers zero`() {
        let histogram = LatencyHistogram()
        #expect(histogram.mean == 0)
        #expect(histogram.minimum == 0)
        #expect(histogram.maximum == 0)
        #expect(histogram.percentile(permille: 990) == 0)
    }

    @Test func `percentiles of evenly spread numbers are within an eighth`() {
        var histogram = LatencyHistogram()
        for value in 1...100_000 { histogram.record(UInt32(value)) }
        for permille in [500, 950, 990] as [UInt32] {
            let exact = Double(permille) * 100
            let found = Double(histogram.percentile(permille: permille))
            #expect(abs(found - exact) <= exact / 8)
        }
        #expect(histogram.mean == 50_001)
        #expect(histogram.minimum == 1)
        #expect(histogram.maximum == 100_000)
    }

    @Test func `equal numbers are their own percentiles`() {
        var histogram = LatencyHistogram()
        histogram.record(1_234, times: 50)
        #expect(histogram.percentile(permille: 1) == 1_234)
        #expect(histogram.percentile(permille: 500) == 1_234)
        #expect(histogram.percentile(permille: 1_000) == 1_234)
    }

    @Test func `full counts are halved and keep the shape`() {
        var histogram = LatencyHistogram()
        for _ in 0..<90 { histogram.record(100, times: 2_000) }
        for _ in 0..<10 { histogram.record(50_000, times: 2_000) }
        #expect(histogram.count == 200_000)
        #expect(histogram.percentile(permille: 500) < 120)
        #expect(histogram.percentile(permille: 990) > 40_000)
        histogram.record(1, times: .max)
        #expect(histogram.count == .max)
    }

    @Test(arguments: [0, 1, 3, 4, 15, 16, 8_388_607, 8_388_608, UInt32.max] as [UInt32])
    func `no number is too large or too small`(value: UInt32) {
        var histogram = LatencyHistogram()
        histogram.record(value)
        #expect(histogram.percentile(permille: 990) == value)
        #expect(histogram.mean == UInt64(value))
    }

    @Test func `one bucket takes any number of values`() {
        var histogram = LatencyHistogram()

        for _ in 0..<200_000 { histogram.record(80) }
        histogram.record(80, times: .max)

        #expect(histogram.count == .max)
        #expect(histogram.percentile(permille: 500) == 80)
    }
}
