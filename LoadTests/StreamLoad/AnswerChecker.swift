import Compression
import HTTPWire
import ServerSentEvents
import StreamBytes

/// Reads one answer from the bytes of its connection and says whether it is whole.
package struct AnswerChecker: ~Copyable {
    package enum Progress: Sendable, Equatable {
        case goesOn
        case completed
        case failed(LoadFailure)
    }

    private let startedAt: MonotonicTime
    private var response = ResponseParser(limits: .endless, isReplyToHead: false)
    private var parser = EventParser()
    private var status = 0
    private var isStream = false
    private var hasByte = false
    private var lastEventAt: MonotonicTime?
    private var lastNumber: Int64?
    private var ending: LoadFailure?
    private var isWhole = false
    /// Of a body that is coded.
    private var decoder: BodyDecoder?
    /// Whether the end of its coding is missing.
    private var isWithinCoding = false
    /// Room for what it yields.
    private var decoded: [UInt8] = []
    /// Of events that are sealed.
    private var sealed: SealedAnswer?

    /// Starts checking.
    ///
    /// - Parameters:
    ///   - now: when connecting began.
    ///   - seal: what the answer was asked to be sealed with; nil: nothing.
    package init(startedAt now: MonotonicTime, seal: LoadSeal? = nil) {
        startedAt = now
        sealed = seal.map { SealedAnswer($0) }
    }

    /// Takes what one read brought.
    package mutating func take(
        _ bytes: Span<UInt8>,
        at now: MonotonicTime,
        into tally: inout LoadTally
    ) -> Progress {
        if !hasByte {
            hasByte = true
            tally.firstByte.record(now - startedAt)
        }
        let eventCount = tally.events
        let progress = read(bytes, into: &tally)
        if tally.events > eventCount { noteArrival(at: now, in: &tally) }
        if progress == .completed { tally.answer.record(now - startedAt) }
        return progress
    }

    /// Takes the head of a response of HTTP/2.
    package mutating func take(
        _ head: ResponseHead,
        at now: MonotonicTime,
        into tally: inout LoadTally
    ) {
        hasByte = true
        tally.firstByte.record(now - startedAt)
        note(head, &tally)
    }

    /// Takes bytes of the body of a response of HTTP/2.
    package mutating func take(
        body: Span<UInt8>,
        at now: MonotonicTime,
        into tally: inout LoadTally
    ) -> Progress {
        let eventCount = tally.events
        if let failure = readBody(body, into: &tally) { return .failed(failure) }
        if tally.events > eventCount { noteArrival(at: now, in: &tally) }
        return .goesOn
    }

    /// Call when a stream of HTTP/2 has come to its end.
    package mutating func bodyEnded(
        at now: MonotonicTime,
        into tally: inout LoadTally
    ) -> Progress {
        let progress = outcome
        if progress == .completed { tally.answer.record(now - startedAt) }
        return progress
    }

    /// Call when the server has ended its sending.
    package mutating func connectionEnded() -> Progress {
        guard hasByte else { return .failed(.noAnswer) }
        do {
            return try response.endOfStream() ? outcome : .failed(.truncated)
        } catch {
            return .failed(status == 0 ? .noAnswer : .truncated)
        }
    }

    /// What a broken connection means at this place.
    package var failureOfConnection: LoadFailure { status == 0 ? .noAnswer : .reset }

    private var outcome: Progress {
        if status != 200 { return .failed(.status(status)) }
        if !isStream { return .failed(.notAStream) }
        if let ending { return .failed(ending) }
        if isWithinCoding { return .failed(.badCoding) }
        return isWhole ? .completed : .failed(.noEnd)
    }

    private mutating func read(_ bytes: Span<UInt8>, into tally: inout LoadTally) -> Progress {
        var offset = 0
        while true {
            do throws(HTTPError) {
                switch try response.parse(bytes, from: &offset) {
                case .needsMore: return .goesOn
                case .interim: continue
                case .head(let head): note(head, &tally)
                case .body(let range):
                    if let failure = readBody(bytes.extracting(range), into: &tally) {
                        return .failed(failure)
                    }
                case .end: return outcome
                }
            } catch {
                return .failed(.badFraming)
            }
        }
    }

    private mutating func note(_ head: ResponseHead, _ tally: inout LoadTally) {
        status = head.status
        let type = head.fields.first("content-type") ?? ""
        isStream = type.hasPrefix("text/event-stream")
        guard let name = head.fields.first("content-encoding") else { return }
        tally.coded += 1
        guard let coding = ContentCoding(named: name), let opened = try? BodyDecoder(coding) else {
            ending = .badCoding
            return
        }
        decoder = consume opened
        isWithinCoding = true
    }

    /// Takes bytes of the body as they came.
    ///
    /// - Returns: what is wrong with them; nil: nothing.
    private mutating func readBody(
        _ body: Span<UInt8>,
        into tally: inout LoadTally
    ) -> LoadFailure? {
        tally.bytes += body.count
        if ending == .badCoding { return .badCoding }
        guard decoder != nil else {
            tally.rawBytes += body.count
            return readEvents(body, into: &tally) ? nil : .badEvent
        }
        var text: [UInt8] = []
        swap(&text, &decoded)
        defer { swap(&text, &decoded) }
        text.removeAll(keepingCapacity: true)
        do throws(CompressionError) {
            if try decoder?.decode(body, to: &text) == true { isWithinCoding = false }
        } catch {
            return .badCoding
        }
        tally.rawBytes += text.count
        return readEvents(text.span, into: &tally) ? nil : .badEvent
    }

    private mutating func noteArrival(at now: MonotonicTime, in tally: inout LoadTally) {
        if let lastEventAt {
            tally.gap.record(now - lastEventAt)
        } else {
            tally.firstEvent.record(now - startedAt)
        }
        lastEventAt = now
    }

    private mutating func readEvents(_ body: Span<UInt8>, into tally: inout LoadTally) -> Bool {
        guard isStream, status == 200 else { return true }
        var position = 0
        do throws(EventParsingError) {
            while let event = try parser.next(in: body, from: &position) {
                tally.events += 1
                note(event, in: body, &tally)
            }
            return true
        } catch {
            return false
        }
    }

    private mutating func note(
        _ event: ParsedEvent,
        in body: Span<UInt8>,
        _ tally: inout LoadTally
    ) {
        guard sealed == nil else { return noteSealed(event, in: body, &tally) }
        if dataBegins("[DONE]", event, body) || typeBegins("complete", event, body)
            || typeBegins("message_stop", event, body)
        {
            isWhole = true
        } else if typeBegins("error", event, body) || dataBegins("{\"error\"", event, body) {
            ending = .errorEvent
        }
        noteNumber(in: &tally)
    }

    private mutating func noteSealed(
        _ event: ParsedEvent,
        in body: Span<UInt8>,
        _ tally: inout LoadTally
    ) {
        guard ending != .badSeal else { return }
        noteNumber(in: &tally)
        let type = String(decoding: bytes(event.type, parser.heldType, body), as: UTF8.self)
        let data = bytes(event.data, parser.heldData, body)
        let number = lastNumber.flatMap(UInt64.init(exactly:))
        guard let content = sealed?.open(type: type, data.span, number: number) else {
            ending = .badSeal
            return
        }
        if type == "complete" || content.span.hasPrefix("[DONE]") {
            isWhole = true
        } else if type == "error" || content.span.hasPrefix("{\"error\"") {
            ending = .errorEvent
        }
    }

    private func bytes(
        _ place: ParsedEvent.Place,
        _ held: [UInt8],
        _ body: Span<UInt8>
    ) -> [UInt8] {
        switch place {
        case .nowhere: return []
        case .held: return held
        case .input(let range):
            var bytes: [UInt8] = []
            bytes.append(body.extracting(range))
            return bytes
        }
    }

    private func dataBegins(
        _ text: StaticString,
        _ event: ParsedEvent,
        _ body: Span<UInt8>
    ) -> Bool {
        switch event.data {
        case .nowhere: false
        case .input(let range): body.extracting(range).hasPrefix(text)
        case .held: parser.heldData.span.hasPrefix(text)
        }
    }

    private func typeBegins(
        _ text: StaticString,
        _ event: ParsedEvent,
        _ body: Span<UInt8>
    ) -> Bool {
        switch event.type {
        case .nowhere: false
        case .input(let range): body.extracting(range).hasPrefix(text)
        case .held: parser.heldType.span.hasPrefix(text)
        }
    }

    /// Weir numbers its events: the id is the stream's, a full stop, and a number from 1.
    private mutating func noteNumber(in tally: inout LoadTally) {
        guard let dot = parser.lastEventID.lastIndex(of: UInt8(ascii: ".")) else { return }
        let digits = String(decoding: parser.lastEventID[(dot + 1)...], as: UTF8.self)
        guard let number = Int64(digits), number != lastNumber else { return }
        if let lastNumber, number > lastNumber + 1 {
            tally.missingEvents += Int(number - lastNumber - 1)
        }
        lastNumber = number
    }
}
