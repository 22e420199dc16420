import Metering
import StreamBytes
import Testing

struct WallTimeTextTests {
    @Test(arguments: [
        ("1970-01", 0), ("2026-02", 1_769_904_000_000), ("2026-02-01", 1_769_904_000_000),
        ("2024-02-29", 1_709_164_800_000), ("2026-02-01T12:00Z", 1_769_947_200_000),
        ("2026-02-01T12:00:01Z", 1_769_947_201_000),
        ("2026-02-01T12:00:01.25Z", 1_769_947_201_250),
        ("2026-02-01T12:00:01.2509Z", 1_769_947_201_250),
        ("2026-02-01T12:00:00+01:30", 1_769_941_800_000),
        ("2026-02-01T12:00:00-00:30", 1_769_949_000_000),
    ])
    func `months, days and instants are read`(text: String, milliseconds: Int64) {
        #expect(WallTime(text: text)?.milliseconds == milliseconds)
    }

    @Test(arguments: [
        "", "2026", "2026-13", "2026-00", "2026-02-29", "2026-02-00", "2026-2-1", "2026-02-01T",
        "2026-02-01T12:00", "2026-02-01T24:00Z", "2026-02-01T12:60Z", "2026-02-01T12:00:60Z",
        "2026-02-01T12:00:00.Z", "2026-02-01T12:00Zx", "2026-02-01 12:00Z", "-026-02",
        "2026-02-01T12:00+1:00", "２０２６-02",
    ])
    func `any other text is no time`(text: String) {
        #expect(WallTime(text: text) == nil)
    }

    @Test func `what is written is read again`() {
        let time = WallTime(milliseconds: 1_769_947_201_250)
        #expect(WallTime(text: time.text) == time)
    }
}
