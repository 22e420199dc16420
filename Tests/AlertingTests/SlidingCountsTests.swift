import Alerting
import StreamBytes
import Testing

struct SlidingCountsTests {
    private func at(_ seconds: Int64) -> MonotonicTime {
        MonotonicTime(nanoseconds: seconds * 1_000_000_000)
    }

    @Test func `growth is counted over the span`() {
        var counts = SlidingCounts(span: .seconds(300))
        #expect(counts.note(["a": 10], at: at(0)) == ["a": 0])
        #expect(counts.note(["a": 15], at: at(100)) == ["a": 5])
        #expect(counts.note(["a": 15], at: at(300)) == ["a": 5])
        // What happened before the span began no longer counts.
        #expect(counts.note(["a": 15], at: at(401)) == ["a": 0])
        #expect(counts.note(["a": 18, "b": 4], at: at(402)) == ["a": 3, "b": 4])
    }

    @Test func `a counter that began anew counts from nothing`() {
        var counts = SlidingCounts(span: .seconds(300))
        #expect(counts.note(["a": 100], at: at(0)) == ["a": 0])
        #expect(counts.note(["a": 7], at: at(10)) == ["a": 7])
        #expect(counts.note(["a": 9], at: at(20)) == ["a": 9])
    }

    @Test func `often asked, it keeps few states and stays about right`() {
        var counts = SlidingCounts(span: .seconds(300), markLimit: 60)
        for second in 0...2_000 as ClosedRange<Int64> {
            let growth = counts.note(["a": second * 10], at: at(second))["a"] ?? 0
            let exact = min(second, 300) * 10
            #expect((exact...exact + 60).contains(growth), "\(second): \(growth)")
        }
    }
}
