import Compression
import HTTPServer
import HTTPWire
import Reactor
import StreamBytes

/// The content codings of one reactor's responses: who chooses, who encodes, and what came of it.
struct ReactorCodings: ~Copyable {
    /// Bytes of coded bodies before and after their coding.
    struct Volume: Sendable {
        var rawByteCount: Int64 = 0
        var codedByteCount: Int64 = 0
    }

    /// By the coding's index.
    static let noVolumes = [Volume](repeating: Volume(), count: ContentCoding.allCases.count)
    /// By the coding's index.
    private(set) var volumes = Self.noVolumes

    private let executor: any StreamExecutor
    private let budget: CompressionBudget
    private var encoders: SharedEncoders?
    private var chooser = CodingChooser()
    private var gauge = LoadGauge()
    private var scratch: [UInt8] = []
    private var writeCount = 0

    /// One write in so many is timed, and has the load read.
    private static let timingInterval = 32

    init(on executor: any StreamExecutor, budget: CompressionBudget) {
        self.executor = executor
        self.budget = budget
    }

    /// Chooses the coding of a response whose head goes out now, and says so in the head.
    ///
    /// - Parameters:
    ///   - question: its load is filled in.
    ///   - budgetLimit: bytes that encoders may hold in all.
    ///   - fields: of the head.
    /// - Returns: the choice, and the body's encoder unless it is the identity.
    mutating func open(
        _ question: CodingChooser.Question,
        budgetLimit: Int,
        _ fields: inout HeaderFields
    ) -> (choice: CodingChoice, body: CodedBody?) {
        if !question.configured.isEmpty { fields.vary(on: "Accept-Encoding") }
        var question = question
        readLoad()
        question.load = gauge.permille
        var choice = chooser.choose(question)
        var encoder = encoder(choice.coding, budgetLimit)
        if choice.coding != nil, encoder == nil {
            question.hasBudget = false
            choice = chooser.choose(question)
            encoder = self.encoder(choice.coding, budgetLimit)
        }
        guard let coding = choice.coding else { return (choice, nil) }
        guard let encoder else { return (CodingChoice(nil, .budget), nil) }
        fields.append("Content-Encoding", coding.rawValue)
        return (choice, CodedBody(coding, question.kind, encoder))
    }

    /// Puts the coded form in the place of the last bytes of a buffer.
    ///
    /// - Parameters:
    ///   - body: what they belong to.
    ///   - eventCount: how many events they are.
    ///   - isLast: whether the body ends with them.
    ///   - start: where they begin.
    ///   - buffer: what goes out.
    /// - Returns: false when memory lacks: the body cannot be continued.
    mutating func code(
        _ body: CodedBody,
        eventCount: Int,
        isLast: Bool,
        from start: Int,
        of buffer: inout [UInt8]
    ) -> Bool {
        let rawByteCount = buffer.count - start
        guard rawByteCount > 0 || isLast else { return true }
        writeCount &+= 1
        let isTimed = writeCount % Self.timingInterval == 0
        if isTimed { readLoad() }
        let startedAt = isTimed ? executor.cpuNanoseconds : 0
        scratch.removeAll(keepingCapacity: true)
        do throws(CompressionError) {
            try encode(body, buffer.span.extracting(start..<buffer.count), eventCount, isLast)
        } catch {
            return false
        }
        if isTimed { noteTime(since: startedAt, of: body) }
        buffer.removeLast(rawByteCount)
        buffer.append(contentsOf: scratch)
        note(body, rawByteCount, scratch.count)
        if scratch.capacity > Self.scratchByteLimit { scratch = [] }
        return true
    }

    /// Codes an answer that is known in full, when that is worth it.
    ///
    /// - Returns: the choice.
    mutating func code(
        _ response: inout HTTPResponse,
        accepted: AcceptedCodings,
        _ settings: StreamSettings
    ) -> CodingChoice {
        guard !response.body.isEmpty else { return CodingChoice(nil, .tiny) }
        let question = CodingChooser.Question(
            accepted: accepted,
            configured: settings.codings,
            kind: .whole,
            expectedByteCount: response.body.count
        )
        var fields = response.head.fields
        let (choice, body) = open(question, budgetLimit: settings.codingBudget, &fields)
        guard let body else {
            response.head.fields = fields
            return choice
        }
        defer { close(body) }
        guard code(body, eventCount: 1, isLast: true, from: 0, of: &response.body) else {
            return CodingChoice(nil, .budget)
        }
        response.head.fields = fields
        return choice
    }

    /// Compresses a piece of bytes for itself (raw deflate).
    ///
    /// - Returns: nil when it would not get shorter, or there is no memory for it.
    mutating func compressed(_ bytes: Span<UInt8>) -> [UInt8]? {
        guard bytes.count >= Self.chunkByteMinimum else { return nil }
        if encoders == nil { encoders = try? SharedEncoders(budget: budget) }
        var output: [UInt8] = []
        encoders?.compressChunk(bytes, to: &output)
        return !output.isEmpty && output.count < bytes.count ? output : nil
    }

    /// Shorter pieces have nothing to repeat.
    private static let chunkByteMinimum = 48

    /// Releases what a body holds; its response is over.
    mutating func close(_ body: CodedBody) { encoders?.close(body.encoder) }

    private static let scratchByteLimit = 262_144

    /// Makes an encoder; nil for the identity, or when there is no memory for it.
    private mutating func encoder(
        _ coding: ContentCoding?,
        _ budgetLimit: Int
    ) -> (any BodyEncoder)? {
        guard let coding else { return nil }
        if encoders == nil { encoders = try? SharedEncoders(budget: budget) }
        encoders?.budgetLimit = budgetLimit
        return encoders?.open(coding)
    }

    private mutating func encode(
        _ body: CodedBody,
        _ bytes: Span<UInt8>,
        _ eventCount: Int,
        _ isLast: Bool
    ) throws(CompressionError) {
        precondition(encoders != nil, "a body was opened before it is coded")
        encoders?.isHurried = gauge.permille > CodingChooser.calmLoad
        try encoders?.encode(
            bytes,
            eventCount: eventCount,
            isLast: isLast,
            by: body.encoder,
            to: &scratch
        )
    }

    private mutating func readLoad() {
        guard gauge.isDue(at: executor.now) else { return }
        gauge.read(cpuNanoseconds: executor.cpuNanoseconds, at: executor.now)
    }

    /// By the thread's own time, which stands still while another thread has the processor.
    private mutating func noteTime(since start: Int64, of body: CodedBody) {
        let nanoseconds = Int(executor.cpuNanoseconds - start)
        // A simulation uses no time.
        if nanoseconds > 0 { chooser.timed(body.coding, body.kind, nanoseconds: nanoseconds) }
    }

    private mutating func note(_ body: CodedBody, _ rawByteCount: Int, _ codedByteCount: Int) {
        volumes[body.coding.index].rawByteCount += Int64(rawByteCount)
        volumes[body.coding.index].codedByteCount += Int64(codedByteCount)
        chooser.wrote(
            body.coding,
            body.kind,
            rawByteCount: rawByteCount,
            codedByteCount: codedByteCount
        )
    }
}
