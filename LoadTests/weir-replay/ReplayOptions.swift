import HTTPWire
import Reactor
import Replay

/// What the replay provider shall do, as its command line says.
struct ReplayOptions {
    var address = SocketAddress.v4(0x7F00_0001, port: 0)
    var bodyFile: String?
    var folder: String?
    var pace = ReplayPace.immediate
    var cuts = ReplayCuts.pieces
    var loops = 1
    var delayMilliseconds = 0
    var fault: ReplayFault?
    var coding: ContentCoding?
    var reactorCount: Int?
    /// The files of the certificate and of its key; nil: plain HTTP.
    var certificate: (file: String, keyFile: String)?

    static let usage = """
        usage: weir-replay [--listen ADDRESS:PORT] [--body FILE | --dir FOLDER] [--pace N | --pace N/B]
                           [--cuts BYTES | --cuts random:SEED:LONGEST] [--loop N] [--delay MS]
                           [--fault FAULT] [--coding CODING] [--reactors N]
                           [--tls CERTIFICATE KEY]

        A model provider that replays recorded response bodies: the file for every model, or those of
        the folder, or else the embedded ones, each for the model of its name. --pace: events a
        second, with /B bytes a second. FAULT: \(ReplayFault.forms).
        --coding: gzip, deflate or br, for every streamed body, whatever the client accepts.
        --tls: speaks HTTPS, with the certificate and the key of two PEM files.
        Without --body and --dir, models such as demo and test/stall are answered, too.
        """

    /// Reads a command line, without the program's name.
    init(parsing arguments: [String]) throws(UsageError) {
        var words = arguments[...]
        while let word = words.popFirst() {
            guard Self.names.contains(word) else { throw UsageError("\(word) is not understood") }
            guard let value = words.popFirst() else { throw UsageError("\(word) needs a value") }
            if word == "--tls" {
                guard let key = words.popFirst() else {
                    throw UsageError("--tls needs a certificate and a key")
                }
                certificate = (value, key)
                continue
            }
            guard set(word, to: value) else {
                throw UsageError("\(value) is no value for \(word)")
            }
        }
        guard bodyFile == nil || folder == nil else {
            throw UsageError("--body and --dir exclude each other")
        }
    }

    private static let names: Set<String> = [
        "--listen", "--body", "--dir", "--pace", "--cuts", "--loop", "--delay", "--fault",
        "--coding", "--reactors", "--tls",
    ]

    private mutating func set(_ option: String, to value: String) -> Bool {
        switch option {
        case "--listen": return setAddress(value)
        case "--body": bodyFile = value
        case "--dir": folder = value
        case "--pace": return setPace(value)
        case "--cuts": return setCuts(value)
        case "--loop":
            loops = Int(value) ?? 0
            return (1...1_000_000_000).contains(loops)
        case "--delay":
            delayMilliseconds = Int(value) ?? -1
            return (0...3_600_000).contains(delayMilliseconds)
        case "--fault":
            fault = ReplayFault(parsing: value)
            return fault != nil
        case "--coding":
            coding = ContentCoding(named: value)
            return coding != nil
        default:
            reactorCount = Int(value)
            return reactorCount.map { (1...256).contains($0) } ?? false
        }
        return !value.isEmpty
    }

    private mutating func setAddress(_ value: String) -> Bool {
        guard let colon = value.lastIndex(of: ":"),
            let port = UInt16(value[value.index(after: colon)...])
        else { return false }
        let host = value[..<colon].drop { $0 == "[" }.prefix { $0 != "]" }
        guard let address = SocketAddress(literal: String(host), port: port) else { return false }
        self.address = address
        return true
    }

    private mutating func setPace(_ value: String) -> Bool {
        let isBytes = value.hasSuffix("/B")
        guard let rate = Double(isBytes ? String(value.dropLast(2)) : value), rate > 0,
            rate.isFinite
        else { return false }
        pace = isBytes ? .bytes(perSecond: rate) : .events(perSecond: rate)
        return true
    }

    private mutating func setCuts(_ value: String) -> Bool {
        let parts = value.split(separator: ":")
        if parts.count == 3, parts[0] == "random", let seed = UInt64(parts[1]),
            let longest = Int(parts[2]), longest > 0
        {
            cuts = .random(seed: seed, longest: longest)
            return true
        }
        guard let byteCount = Int(value), byteCount > 0 else { return false }
        cuts = .every(byteCount: byteCount)
        return true
    }

    /// The plan for a body with everything that the command line says.
    func plan(_ body: RecordedBody) -> ReplayPlan {
        var plan = ReplayPlan(body: body)
        plan.pace = pace
        plan.cuts = cuts
        plan.loops = loops
        plan.delay = .milliseconds(delayMilliseconds)
        plan.fault = fault
        plan.coding = coding
        return plan
    }
}

/// A mistake on the command line or in what it names, for people.
struct UsageError: Error {
    let text: String
    init(_ text: String) { self.text = text }
}
