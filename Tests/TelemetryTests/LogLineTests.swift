import Telemetry
import Testing

struct LogLineTests {
    private let noon = Int64(1_772_366_400_250)  // 2026-03-01 12:00:00.250 UTC

    private func json(_ line: LogLine) -> String {
        var output: [UInt8] = []
        line.appendJSON(at: noon, to: &output)
        return String(decoding: output, as: UTF8.self)
    }

    private func text(_ line: LogLine) -> String {
        var output: [UInt8] = []
        line.appendText(at: noon, to: &output)
        return String(decoding: output, as: UTF8.self)
    }

    @Test func `a JSON line holds the time, the level, the event and the fields in order`() {
        var line = LogLine(.info, "stream_end").with("stream", "s1").with("events", 7)
        line.add("ratio", 0.5)
        line.add("estimated", false)

        #expect(
            json(line)
                == #"{"time":"2026-03-01T12:00:00.250Z","level":"info","event":"stream_end","#
                + #""stream":"s1","events":7,"ratio":0.5,"estimated":false}"# + "\n"
        )
    }

    @Test func `a line for a terminal quotes what is not one word`() {
        let line = LogLine(.warning, "lock").with("path", "/a").with("why", "it is taken")
            .with("empty", "")

        #expect(text(line) == "12:00:00.250 warning lock path=/a why=\"it is taken\" empty=\"\"\n")
    }

    @Test(arguments: [
        "a\r\nb", "\u{1B}[2J", "\u{0}", "\u{7F}", "\u{9B}31m", "\u{2028}", "\u{202E}",
    ])
    func `no value can forge a line or steer a terminal`(hostile: String) {
        let line = LogLine(.error, hostile).with(hostile, hostile)

        for form in [json(line), text(line)] {
            let scalars = form.dropLast().unicodeScalars
            let dangers = hostile.unicodeScalars.filter { !(0x20..<0x7F).contains($0.value) }
            #expect(form.hasSuffix("\n"))
            #expect(!scalars.contains { dangers.contains($0) })
        }
    }

    @Test func `text beyond ASCII stays readable`() {
        #expect(json(LogLine(.info, "x").with("name", "Zoë 🌊")).contains(#""name":"Zoë 🌊""#))
    }

    @Test func `numbers that JSON does not know become null`() {
        var line = LogLine(.info, "x")
        line.add("rate", Double.infinity)

        #expect(json(line).contains(#""rate":null"#))
    }

    @Test func `an absent value leaves no field`() {
        let line = LogLine(.info, "x").with("user", nil as String?).with("rtt", nil as Int?)

        #expect(line.fields.isEmpty)
    }

    @Test(arguments: [
        (Int64(0), "1970-01-01T00:00:00.000Z"), (951_782_400_000, "2000-02-29T00:00:00.000Z"),
        (4_107_542_399_999, "2100-02-28T23:59:59.999Z"), (-1, "1969-12-31T23:59:59.999Z"),
        (1_709_251_199_000, "2024-02-29T23:59:59.000Z"),
    ])
    func `moments become dates, leap days included`(milliseconds: Int64, expected: String) {
        #expect(CalendarTime(milliseconds: milliseconds).text == expected)
    }
}
