import Metering
import TestSupport
import Testing

struct SequenceRangesTests {
    @Test func `numbers in any order and more than once make the same ranges`() {
        for seed in 1...200 as ClosedRange<UInt64> {
            var random = SeededChance(seed: seed)
            let numbers = (0..<30).map { _ in Int64(random.within(1...40)) }
            var ranges = SequenceRanges()
            for number in numbers { ranges.insert(number...number, of: "g:1") }

            let known = Set(numbers)
            for number in 1...41 as ClosedRange<Int64> {
                #expect(ranges.contains(number, of: "g:1") == known.contains(number), "\(numbers)")
            }
            let first = (1...41).first { !known.contains($0) } ?? 0
            #expect(ranges.through("g:1") == first - 1, "\(numbers)")
            let missing = ranges.holes.flatMap { Array($0.numbers) }
            let largest = numbers.max() ?? 0
            #expect(missing == (1...largest).filter { !known.contains($0) }, "\(numbers)")
        }
    }

    @Test func `runs are apart`() {
        var ranges = SequenceRanges()
        ranges.insert(1...5, of: "g:1")
        ranges.insert(3...4, of: "g:2")
        ranges.insert(9...9, of: "g:2")

        #expect(ranges.through("g:1") == 5)
        #expect(ranges.through("g:2") == 0)
        #expect(!ranges.contains(1, of: "g:3"))
        #expect(
            ranges.holes == [
                .init(run: "g:2", numbers: 1...2), .init(run: "g:2", numbers: 5...8),
            ]
        )
    }
}
