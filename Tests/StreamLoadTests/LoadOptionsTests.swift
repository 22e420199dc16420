import StreamBytes
import StreamLoad
import Testing

struct LoadOptionsTests {
    @Test func `a whole command line is read`() throws {
        let options = try LoadOptions(parsing: [
            "http://127.0.0.1:8080", "-n", "10000", "--rate", "5", "--duration", "60s",
            "--connect-rate", "500", "--model", "gpt-4", "--key", "sk", "--json", "out.json",
            "--expect", "first_p99<500ms,lost=0", "--silence", "5s", "--reactors", "2",
            "--coding", "br", "--seal", "k1:QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE=",
        ])

        #expect(options.target.path == "/v1/chat/completions")
        #expect(options.streamCount == 10_000)
        #expect(options.rate == 5)
        #expect(options.duration == .seconds(60))
        #expect(options.connectRate == 500)
        #expect(options.model == "gpt-4")
        #expect(options.key == "sk")
        #expect(options.jsonPath == "out.json")
        #expect(options.expectations.map(\.text) == ["first_p99<500ms", "lost=0"])
        #expect(options.silenceLimit == .seconds(5))
        #expect(options.reactorCount == 2)
        #expect(options.coding == .brotli)
        #expect(options.seal?.keyID == "k1")
        #expect(options.seal?.key == [UInt8](repeating: 0x41, count: 32))
        #expect(try LoadOptions(parsing: ["--once", "http://x"]).duration == nil)
    }

    @Test(arguments: [
        ([], LoadOptionError.noURL),
        (["x"], .badValue("URL", "x")),
        (["http://a", "http://b"], .unexpected("http://b")),
        (["http://a", "-n"], .noValue("-n")),
        (["http://a", "-n", "0"], .badValue("-n", "0")),
        (["http://a", "--rate", "-1"], .badValue("--rate", "-1")),
        (["http://a", "--duration", "5h"], .badValue("--duration", "5h")),
        (["http://a", "--seal", "k1:QUFB"], .badValue("--seal", "k1:QUFB")),
        (["http://a", "--coding", "zstd"], .badValue("--coding", "zstd")),
        (["http://a", "--plan", "x"], .notAvailable("--plan")),
        (["http://a", "--html", "x"], .notAvailable("--html")),
        (["http://a", "--what"], .unexpected("--what")),
        (["http://a", "--expect", "first_p0<1ms"], .badValue("--expect", "first_p0<1ms")),
        (["http://a", "--expect", "speed=1"], .badValue("--expect", "speed=1")),
        (["http://a", "--expect", ","], .badValue("--expect", ",")),
    ])
    func `mistakes are named`(arguments: [String], error: LoadOptionError) {
        #expect(throws: error) { try LoadOptions(parsing: arguments) }
    }

    @Test func `targets are read`() throws {
        let target = try #require(LoadTarget(parsing: "https://example.org/api/stream?x=1"))
        #expect(target.isSecure)
        #expect(target.port == 443)
        #expect(target.path == "/api/stream?x=1")
        #expect(target.authority == "example.org")
        let local = try #require(LoadTarget(parsing: "http://[::1]:81/v1"))
        #expect(local.host == "::1")
        #expect(local.authority == "[::1]:81")
        #expect(local.path == "/v1/chat/completions")
        for text in ["ftp://x", "http://", "http://x:0", "http://a@b", "http://x/#y"] {
            #expect(LoadTarget(parsing: text) == nil, "\(text)")
        }
    }

    @Test func `durations have units`() {
        #expect(Duration(parsing: "250us") == .microseconds(250))
        #expect(Duration(parsing: "1.5ms") == .microseconds(1_500))
        #expect(Duration(parsing: "2") == .seconds(2))
        #expect(Duration(parsing: "2m") == .seconds(120))
        #expect(Duration(parsing: "") == nil)
        #expect(Duration(parsing: "s") == nil)
        #expect(Duration(parsing: "1d") == nil)
    }
}
