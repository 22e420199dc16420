import Metering
import StreamBytes
import Testing

@Suite struct CalendarMonthTests {
    @Test(arguments: [
        (0, "1970-01"), (-1, "1969-12"), (951_782_399_999, "2000-02"),
        (951_868_800_000 - 1, "2000-02"), (951_868_800_000, "2000-03"),
        (1_769_903_999_999, "2026-01"), (1_769_904_000_000, "2026-02"),
        (1_709_251_199_999, "2024-02"), (1_709_251_200_000, "2024-03"),
        (4_102_444_800_000, "2100-01"),
    ])
    func `an instant belongs to the month that contains it`(milliseconds: Int64, name: String) {
        let month = CalendarMonth(containing: WallTime(milliseconds: milliseconds))
        #expect(month.description == name)
    }

    @Test func `months follow each other without gap or overlap for four centuries`() {
        var month = CalendarMonth(year: 1_900, month: 1)
        for _ in 0..<4_800 {
            let end = month.end
            #expect(CalendarMonth(containing: month.start) == month)
            #expect(
                CalendarMonth(containing: WallTime(milliseconds: end.milliseconds - 1)) == month
            )
            #expect(CalendarMonth(containing: end) == month.next)
            month = month.next
        }
        #expect(month.description == "2300-01")
    }
}
