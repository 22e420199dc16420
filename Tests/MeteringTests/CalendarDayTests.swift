import Metering
import StreamBytes
import Testing

@Suite struct CalendarDayTests {
    @Test(arguments: [
        (0, "1970-01-01"), (-1, "1969-12-31"), (1_709_164_800_000, "2024-02-29"),
        (1_769_903_999_999, "2026-01-31"), (1_769_904_000_000, "2026-02-01"),
    ])
    func `an instant belongs to the day that contains it`(milliseconds: Int64, name: String) {
        #expect(CalendarMonth.dayText(of: WallTime(milliseconds: milliseconds)) == name)
    }
}
