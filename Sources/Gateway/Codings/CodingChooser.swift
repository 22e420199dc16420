import HTTPWire

/// Chooses content codings: among those that a client accepts and the configuration lists, the one
/// that is worth most by what this reactor has measured.
///
/// A saved byte is worth 100 ns of an idle reactor's time. The busier the reactor, the more a
/// nanosecond counts, up to eightfold.
package struct CodingChooser: Sendable {
    /// What is known before the head of a response goes out.
    package struct Question: Sendable {
        package var accepted: AcceptedCodings
        /// In the order of preference where two are worth the same; empty: codings are off.
        package var configured: [ContentCoding]
        package var kind: BodyKind
        /// Nil: it will turn out.
        package var expectedByteCount: Int?
        /// How busy the reactor is, in thousandths.
        package var load = 0
        /// Whether an encoder of brotli may still be opened.
        package var hasBudget = true

        package init(
            accepted: AcceptedCodings,
            configured: [ContentCoding],
            kind: BodyKind,
            expectedByteCount: Int? = nil
        ) {
            self.accepted = accepted
            self.configured = configured
            self.kind = kind
            self.expectedByteCount = expectedByteCount
        }
    }

    /// Smaller bodies are sent as they are: gzip's head and trailer alone take 18 bytes, and one
    /// packet holds them either way.
    package static let tinyByteCount = 1_024
    /// Up to this load time costs what it costs at rest; beyond it, encoders shall hurry.
    package static let calmLoad = 700

    private static let nanosecondsPerByte = 100
    /// What time costs at full load, in multiples of what it costs at rest.
    private static let fullLoadFactor = 8

    /// By kind, then by coding.
    private var estimates = BodyKind.allCases.flatMap { kind in
        ContentCoding.allCases.map { WriteEstimate.expected($0, kind) }
    }

    package init() {}

    /// Decides how a body is coded; what was not measured for long drifts back to what is expected
    /// of it, so that it gets its chance again.
    package mutating func choose(_ question: Question) -> CodingChoice {
        let choice = decide(question)
        for coding in ContentCoding.allCases where coding != choice.coding {
            self[question.kind, coding].drift(to: .expected(coding, question.kind))
        }
        return choice
    }

    /// Call for every write that was coded.
    package mutating func wrote(
        _ coding: ContentCoding,
        _ kind: BodyKind,
        rawByteCount: Int,
        codedByteCount: Int
    ) {
        self[kind, coding].note(rawByteCount: rawByteCount, codedByteCount: codedByteCount)
    }

    /// Call for the writes whose coding was timed.
    package mutating func timed(_ coding: ContentCoding, _ kind: BodyKind, nanoseconds: Int) {
        self[kind, coding].note(nanoseconds: nanoseconds)
    }

    private func decide(_ question: Question) -> CodingChoice {
        guard !question.configured.isEmpty else { return CodingChoice(nil, .off) }
        let accepted = question.configured.filter { question.accepted.weight(of: $0) > 0 }
        let usable = accepted.filter { $0 != .brotli || question.hasBudget }
        guard let most = usable.map(question.accepted.weight).max() else {
            return CodingChoice(nil, accepted.isEmpty ? .notAccepted : .budget)
        }
        let identity = question.accepted.identityWeight
        if let identity, identity > most { return CodingChoice(nil, .preferred) }
        let wanted = usable.filter { question.accepted.weight(of: $0) == most }
        let best = best(of: wanted, question)
        if identity == 0 { return CodingChoice(best, .required) }
        if let count = question.expectedByteCount, count < Self.tinyByteCount {
            return CodingChoice(nil, .tiny)
        }
        guard worth(best, question.kind, load: question.load) > 0 else {
            let isForLoad = worth(best, question.kind, load: 0) > 0
            return CodingChoice(nil, isForLoad ? .load : .cost)
        }
        if usable.count < accepted.count { return CodingChoice(best, .budget) }
        return CodingChoice(best, wanted.count < usable.count ? .preferred : .best)
    }

    private func best(of wanted: [ContentCoding], _ question: Question) -> ContentCoding {
        var best = wanted[0]
        for coding in wanted.dropFirst()
        where worth(coding, question.kind, load: question.load)
            > worth(best, question.kind, load: question.load)
        {
            best = coding
        }
        return best
    }

    /// What coding one write is worth, in nanoseconds of an idle reactor.
    private func worth(_ coding: ContentCoding, _ kind: BodyKind, load: Int) -> Int {
        let estimate = self[kind, coding]
        let excess = min(max(0, load - Self.calmLoad), 1_000 - Self.calmLoad)
        let factor = 1_000 + excess * (Self.fullLoadFactor - 1) * 1_000 / (1_000 - Self.calmLoad)
        return (estimate.rawByteCount - estimate.codedByteCount) * Self.nanosecondsPerByte
            - estimate.nanoseconds * factor / 1_000
    }

    private subscript(kind: BodyKind, coding: ContentCoding) -> WriteEstimate {
        get { estimates[kind.rawValue * ContentCoding.allCases.count + coding.index] }
        set { estimates[kind.rawValue * ContentCoding.allCases.count + coding.index] = newValue }
    }
}
