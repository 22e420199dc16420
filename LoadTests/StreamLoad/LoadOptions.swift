import HTTPWire
import StreamBytes

/// What a load test shall do, as its command line says.
package struct LoadOptions: Sendable, Equatable {
    package var target: LoadTarget
    /// How many streams are open at the same time.
    package var streamCount = 1
    /// Events a second of each stream; asked of a replay provider only.
    package var rate: Double?
    /// How long the streams run once all are started; nil: one answer each.
    package var duration: Duration? = .seconds(10)
    /// How many connections are opened a second.
    package var connectRate: Double = 2_000
    package var model = "demo"
    package var key: String?
    package var expectations: [Expectation] = []
    package var jsonPath: String?
    /// Nil: one for each processor.
    package var reactorCount: Int?
    /// A stream without a byte for so long has failed.
    package var silenceLimit: Duration = .seconds(60)
    /// How many source addresses connections to 127.0.0.0/8 are spread over, from 127.0.0.2 on; nil:
    /// as many as the streams need ports.
    package var sourceCount: Int?
    /// A PEM file of further trusted authorities.
    package var authorityFile: String?
    /// Streams that share a connection of HTTP/2; nil: HTTP/1.1, and a connection for each.
    package var streamsPerConnection: Int?
    /// The content coding that is accepted; nil: none.
    package var coding: ContentCoding?
    /// What answers shall be sealed with; nil: nothing.
    package var seal: LoadSeal?

    package init(target: LoadTarget) { self.target = target }

    package static let usage = """
        usage: weir-load URL [-n STREAMS] [--rate EVENTS_PER_SECOND] [--duration 60s | --once]
                         [--connect-rate N] [--model M] [--key K] [--expect 'first_p99<500ms,lost=0']
                         [--json FILE] [--silence 60s] [--reactors N] [--sources N]
                         [--ca FILE] [--http2 [--per-connection 100]] [--coding gzip|br|deflate]
                         [--seal KEY_ID:BASE64]

        Opens STREAMS answers of an OpenAI-compatible server (or of /api/stream) at the same time,
        opens the next one when one ends, and measures. --rate and the duration are passed to a
        weir-replay behind the server, which then paces its answers; any other provider keeps its own
        pace. --once: one answer each.
        An https URL's certificate has to be valid for its host; --ca names a PEM file of further
        authorities. --http2: the streams share connections, by ALPN over TLS and by prior knowledge
        without. --coding: the content coding that answers may have. --seal: a key of the server's
        `sealing.keys`, which seals the events; each is opened and checked. The exit status is 1 if
        an expectation fails, 2 on wrong usage.
        """

    /// Reads a command line, without the program's name.
    ///
    /// - Throws: `LoadOptionError`.
    package init(parsing arguments: [String]) throws(LoadOptionError) {
        var words = arguments[...]
        var url: String?
        var options = LoadOptions(target: .nowhere)
        while let word = words.popFirst() {
            if word.hasPrefix("-") {
                try options.take(word, from: &words)
            } else if url == nil {
                url = word
            } else {
                throw .unexpected(word)
            }
        }
        guard let url else { throw .noURL }
        guard let target = LoadTarget(parsing: url) else { throw .badValue("URL", url) }
        options.target = target
        self = options
    }

    private mutating func take(
        _ option: String,
        from words: inout ArraySlice<String>
    ) throws(LoadOptionError) {
        switch option {
        case "--once": duration = nil
        case "--http2": streamsPerConnection = streamsPerConnection ?? 100
        case "--plan", "--html": throw .notAvailable(option)
        default:
            guard Self.names.contains(option) else { throw .unexpected(option) }
            guard let value = words.popFirst() else { throw .noValue(option) }
            guard try set(option, to: value) else { throw .badValue(option, value) }
        }
    }

    private static let names: Set<String> = [
        "-n", "--streams", "--rate", "--duration", "--connect-rate", "--model", "--key", "--expect",
        "--json", "--silence", "--reactors", "--sources", "--ca", "--per-connection",
        "--coding", "--seal",
    ]

    private mutating func set(
        _ option: String,
        to value: String
    ) throws(LoadOptionError) -> Bool {
        switch option {
        case "-n", "--streams":
            streamCount = Int(value) ?? 0
            return (1...1_000_000).contains(streamCount)
        case "--rate":
            rate = Double(value)
            return rate.map { $0 > 0 && $0.isFinite } ?? false
        case "--connect-rate":
            connectRate = Double(value) ?? 0
            return connectRate > 0 && connectRate.isFinite
        case "--duration":
            duration = Duration(parsing: value)
            return duration.map { $0 > .zero } ?? false
        case "--silence":
            silenceLimit = Duration(parsing: value) ?? .zero
            return silenceLimit > .zero
        case "--reactors":
            reactorCount = Int(value)
            return reactorCount.map { (1...256).contains($0) } ?? false
        case "--sources":
            sourceCount = Int(value)
            return sourceCount.map { (1...250).contains($0) } ?? false
        case "--per-connection":
            streamsPerConnection = Int(value)
            return streamsPerConnection.map { (1...100_000).contains($0) } ?? false
        case "--coding":
            coding = ContentCoding(named: value)
            return coding != nil
        case "--seal":
            seal = LoadSeal(parsing: value)
            return seal != nil
        case "--expect":
            expectations = try Expectation.list(parsing: value)
            return true
        default:
            return setText(option, to: value)
        }
    }

    private mutating func setText(_ option: String, to value: String) -> Bool {
        switch option {
        case "--model": model = value
        case "--key": key = value
        case "--json": jsonPath = value
        default: authorityFile = value
        }
        return !value.isEmpty
    }
}

/// What is wrong with a command line.
package enum LoadOptionError: Error, Equatable, Sendable, CustomStringConvertible {
    case noURL
    case unexpected(String)
    case noValue(String)
    case badValue(String, String)
    case notAvailable(String)

    package var description: String {
        switch self {
        case .noURL: "a URL is needed"
        case .unexpected(let word): "\(word) is not understood"
        case .noValue(let option): "\(option) needs a value"
        case .badValue(let option, let value): "\(value) is no value for \(option)"
        case .notAvailable(let option): "\(option) is not available in this version"
        }
    }
}

extension Duration {
    /// Reads a number with its unit: `us`, `ms`, `s` or `m`; without one they are seconds.
    package init?(parsing text: String) {
        let digits = text.prefix { $0.isASCII && ($0.isNumber || $0 == ".") }
        guard let number = Double(digits), number <= 1e9 else { return nil }
        switch text.dropFirst(digits.count) {
        case "us", "µs": self = .microseconds(number)
        case "ms": self = .milliseconds(number)
        case "s", "": self = .seconds(number)
        case "m": self = .seconds(number * 60)
        default: return nil
        }
    }
}
