import Metering
import ServerSentEvents
import StreamBytes

/// Turns the body of a provider's streamed answer into deltas.
///
/// It builds no tree: it reads each event once, front to back, for the few fields it needs.
package struct DialectDecoder: ~Copyable, Sendable {
    package let dialect: Dialect
    private var parser: EventParser
    private var answer: Answer
    private var chat = ChatChunkReader()
    private var messages = MessageEventReader()
    private var hasEvents = false
    private var hasEnded = false

    /// Makes a decoder for one body.
    ///
    /// - Parameters:
    ///   - dialect: what the provider speaks.
    ///   - mode: `raw` is for `openAI` only.
    ///   - eventLimit: the longest data of one event, in bytes.
    package init(_ dialect: Dialect, mode: DeltaMode, eventLimit: Int = 1 << 20) {
        if case .raw = mode {
            precondition(dialect == .openAI, "only OpenAI's own events are passed on as they are")
        }
        self.dialect = dialect
        parser = EventParser(byteLimit: eventLimit)
        answer = Answer(mode: mode)
    }

    /// Reads the next bytes of the body, cut anywhere, and appends what they complete to `batch`.
    ///
    /// Trouble is not thrown but becomes `failure`; after it the rest is read for its usage only
    /// as far as it can be.
    ///
    /// - Returns: whether `failure` or `isTerminal` say something now. Reading a property of what
    ///   cannot be copied costs an allocation.
    @discardableResult
    package mutating func decode(_ bytes: Span<UInt8>, into batch: inout DeltaBatch) -> Bool {
        var position = 0
        do {
            while let event = try parser.next(in: bytes, from: &position) {
                hasEvents = true
                guard !answer.isTerminal else { continue }
                let type = EventType(event.type, in: bytes, or: parser.heldType)
                switch event.data {
                case .nowhere: break
                case .input(let range): read(bytes.extracting(range), type, into: &batch)
                case .held:
                    let held = parser.heldData
                    read(held.span, type, into: &batch)
                }
            }
        } catch {
            answer.fail(.unreadable("an event of the provider is too long"))
        }
        return answer.isTerminal || answer.failure != nil
    }

    /// Tells the decoder that the body has ended.
    package mutating func endOfBody(into batch: inout DeltaBatch) {
        guard !hasEnded else { return }
        hasEnded = true
        parser.finish()
        guard !answer.isTerminal else { return }
        if let field = parser.errorField {
            answer.fail(ProviderFailure(inBand: field.span, dialect: dialect))
        } else if !hasEvents, !parser.strayText.isEmpty {
            answer.fail(ProviderFailure(notAnEventStream: parser.strayText, dialect: dialect))
        }
    }

    private mutating func read(
        _ data: Span<UInt8>,
        _ type: EventType,
        into batch: inout DeltaBatch
    ) {
        do {
            switch dialect {
            case .openAI: try chat.read(data, type, &answer, &batch)
            case .anthropic: try messages.read(data, type, &answer, &batch)
            }
        } catch {
            answer.fail(.unreadable("an event of the provider is no JSON that can be read"))
        }
    }
}

extension DialectDecoder {
    /// Why the provider ended; nil while it has not said.
    package var finish: FinishReason? {
        // A model that refuses says so beside a finish reason that does not.
        answer.finish == .stop && answer.hasRefusal ? .refusal : answer.finish
    }

    /// The provider's own word for `finish`.
    package var providerFinish: String? {
        answer.providerFinish.isEmpty
            ? nil : String(decoding: answer.providerFinish, as: UTF8.self)
    }

    /// Tokens in the meter's form; nil when the provider reported none.
    package var usage: TokenUsage? { answer.counters.normalised(dialect) }

    /// Tokens as the provider counts them; nil when it reported none.
    package var reportedUsage: TokenUsage? { answer.counters.reported }

    /// Whether the answer is whole: its terminal event was seen, or the body ended after a finish
    /// reason.
    package var isComplete: Bool { answer.isTerminal || (hasEnded && answer.finish != nil) }

    /// Whether the terminal event was seen, after which nothing more is due.
    package var isTerminal: Bool { answer.isTerminal }

    /// The first trouble: an error event, or bytes that cannot be read.
    package var failure: ProviderFailure? { answer.failure }

    /// Whether any text, reasoning or tool call has come.
    package var hasVisibleOutput: Bool { answer.hasVisibleOutput }

    /// What has come so far, of all choices, for the estimate.
    package var countedOutput: OutputCount { answer.counted }

    /// Whether deltas hold what clients need beyond what the provider streamed: a refusal as text,
    /// and `{}` for the arguments of a call that has none.
    package var addsForClients: Bool {
        get { answer.addsForClients }
        set { answer.addsForClients = newValue }
    }
}

/// The type of an event, as far as it matters.
enum EventType {
    case message
    case error
    case other

    init(_ place: ParsedEvent.Place, in bytes: Span<UInt8>, or held: [UInt8]) {
        switch place {
        case .nowhere: self = .message
        case .input(let range): self.init(bytes, range)
        case .held: self.init(held.span, 0..<held.count)
        }
    }

    private init(_ bytes: Span<UInt8>, _ range: Range<Int>) {
        if bytes.matches(range, "error") {
            self = .error
        } else {
            self = bytes.matches(range, "message") ? .message : .other
        }
    }
}
