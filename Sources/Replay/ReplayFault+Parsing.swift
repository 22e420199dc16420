extension ReplayFault {
    /// What `init(parsing:)` understands, for messages to people.
    package static let forms = """
        err-STATUS[:RETRY_AFTER_SECONDS] slow[:MS] stall[:AT] silence[:AT[:MS]] rst[:AT] cut[:AT] \
        garbage[:BYTES] badchunk[:AT] drip[:MS] huge[:BYTES] errmid[:EVENTS] nodone; \
        AT is a number of bytes, or of events with an e: 40e
        """

    /// Reads a fault as a command line names it; nil when it is none of `forms`.
    package init?(parsing text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        let arguments = FaultArguments(words: Array(parts.dropFirst()))
        guard let fault = Self.named(parts[0], arguments), arguments.count <= fault.argumentLimit
        else { return nil }
        self = fault
    }

    private static func named(_ name: String, _ arguments: FaultArguments) -> Self? {
        switch name {
        case "slow": arguments.duration(0, else: 10_000).map(Self.slowFirstToken)
        case "stall": arguments.position(0).map(Self.stall)
        case "silence": silence(arguments)
        case "rst": arguments.position(0).map(Self.reset)
        case "cut": arguments.position(0).map(Self.cut)
        case "garbage": arguments.number(0, else: 4_096).map(Self.garbage)
        case "badchunk": arguments.position(0).map(Self.badChunk)
        case "drip": arguments.duration(0, else: 20).map(Self.drip)
        case "huge": arguments.number(0, else: 20_000_000).map(Self.hugeLine)
        case "errmid": arguments.number(0, else: 20).map(Self.errorInStream)
        case "nodone": .noEnd
        default: refusal(name, arguments)
        }
    }

    private static func silence(_ arguments: FaultArguments) -> Self? {
        guard let position = arguments.position(0),
            let length = arguments.duration(1, else: 60_000)
        else { return nil }
        return .silence(after: position, for: length)
    }

    private static func refusal(_ name: String, _ arguments: FaultArguments) -> Self? {
        guard name.hasPrefix("err-"), let status = Int(name.dropFirst(4)),
            (400...599).contains(status), let retryAfter = arguments.number(0, else: -1)
        else { return nil }
        return .refusal(status: status, retryAfterSeconds: retryAfter < 0 ? nil : retryAfter)
    }

    private var argumentLimit: Int {
        switch self {
        case .noEnd: 0
        case .silence: 2
        default: 1
        }
    }
}

/// The words after a fault's name; each may be left out.
private struct FaultArguments {
    let words: [String]

    var count: Int { words.count }

    func number(_ index: Int, else standard: Int) -> Int? {
        guard index < words.count else { return standard }
        guard let number = Int(words[index]), (0...100_000_000).contains(number) else { return nil }
        return number
    }

    func duration(_ index: Int, else milliseconds: Int) -> Duration? {
        number(index, else: milliseconds).map { .milliseconds($0) }
    }

    func position(_ index: Int) -> ReplayPosition? {
        guard index < words.count else { return .events(20) }
        let word = words[index]
        guard let count = Int(word.hasSuffix("e") ? String(word.dropLast()) : word), count >= 0
        else { return nil }
        return word.hasSuffix("e") ? .events(count) : .bytes(count)
    }
}
