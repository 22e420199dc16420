import Billing
import Metering
import StreamBytes
import Testing

struct HoleWatchTests {
    private func hole(_ numbers: ClosedRange<Int64>, _ run: String = "g:1") -> SequenceRanges.Hole {
        SequenceRanges.Hole(run: run, numbers: numbers)
    }

    private func at(_ seconds: Int64) -> MonotonicTime {
        MonotonicTime(nanoseconds: seconds * 1_000_000_000)
    }

    @Test func `what is only late is not told`() {
        var watch = HoleWatch(patience: .seconds(60))
        #expect(watch.note([hole(3...4)], at: at(0)).isEmpty)
        #expect(watch.note([hole(3...4)], at: at(59)).isEmpty)
        #expect(watch.note([], at: at(60)).isEmpty)
        #expect(watch.missing.isEmpty)
    }

    @Test func `what stays missing is told once, and once when it comes after all`() {
        var watch = HoleWatch(patience: .seconds(60))
        #expect(watch.note([hole(3...4)], at: at(0)).isEmpty)
        #expect(watch.note([hole(3...4)], at: at(60)) == [.missing(hole(3...4))])
        #expect(watch.note([hole(3...4)], at: at(120)).isEmpty)
        #expect(watch.missing == [hole(3...4)])
        #expect(watch.note([], at: at(180)) == [.filled(hole(3...4))])
        #expect(watch.missing.isEmpty)
    }

    @Test func `it knows what is missing only after its patience`() {
        var watch = HoleWatch(patience: .seconds(60))
        _ = watch.note([hole(3...4)], at: at(0))
        _ = watch.note([hole(3...4)], at: at(59))
        #expect(!watch.isSettled)
        _ = watch.note([hole(3...4)], at: at(60))
        #expect(watch.isSettled)
        #expect(watch.missing == [hole(3...4)])
    }

    @Test func `a hole that shrinks is as old as it was, and is not told again`() {
        var watch = HoleWatch(patience: .seconds(60))
        #expect(watch.note([hole(3...9)], at: at(0)).isEmpty)
        #expect(watch.note([hole(5...9)], at: at(50)).isEmpty)
        #expect(watch.note([hole(5...7)], at: at(60)) == [.missing(hole(5...7))])
        #expect(watch.note([hole(6...6)], at: at(70)).isEmpty)
        #expect(watch.note([], at: at(80)) == [.filled(hole(5...7))])
    }

    @Test func `runs are told apart`() {
        var watch = HoleWatch(patience: .zero)
        let both = [hole(3...4), hole(3...4, "g:2")]
        #expect(watch.note(both, at: at(0)) == both.map { .missing($0) })
        #expect(watch.note([both[1]], at: at(1)) == [.filled(both[0])])
    }
}
