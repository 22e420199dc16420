import HTTPWire

/// How a body is coded, and why so.
package struct CodingChoice: Hashable, Sendable {
    package enum Reason: String, Sendable {
        /// The best of what the client accepts, by what it saves and what it costs.
        case best
        /// The client gave it the greatest weight.
        case preferred
        /// The client excludes everything else.
        case required
        /// Codings are switched off.
        case off
        /// The client accepts none that is configured.
        case notAccepted = "not_accepted"
        /// The body is too small to be worth it.
        case tiny
        /// What a coding would save is not worth its time.
        case cost
        /// The same, only because the reactor is busy.
        case load
        /// The best one had no memory left.
        case budget
    }

    /// Nil: the identity.
    package let coding: ContentCoding?
    package let reason: Reason

    package init(_ coding: ContentCoding?, _ reason: Reason) {
        self.coding = coding
        self.reason = reason
    }

    /// The coding as HTTP calls it.
    package var name: String { coding?.rawValue ?? "identity" }
}

/// What a body is made of; each kind has its own measure of what codings save.
package enum BodyKind: Int, CaseIterable, Sendable {
    case weirEvents
    case openAIChunks
    /// Events of either form whose payload is sealed: of that, only the base64 is saved.
    case sealedEvents
    /// An answer that is known in full.
    case whole
}

/// Which codings a stream's clients got, for its meter records.
struct CodingSet: OptionSet {
    let rawValue: UInt8

    init(rawValue: UInt8) { self.rawValue = rawValue }

    init(_ coding: ContentCoding?) {
        switch coding {
        case nil: rawValue = 1
        case .gzip?: rawValue = 2
        case .deflate?: rawValue = 4
        case .brotli?: rawValue = 8
        }
    }

    /// The names, joined by `+` where there were several.
    var text: String {
        let codings = [nil] + ContentCoding.allCases.map(Optional.init)
        let names = codings.filter { contains(CodingSet($0)) }.map { $0?.rawValue ?? "identity" }
        return names.isEmpty ? "identity" : names.joined(separator: "+")
    }
}
