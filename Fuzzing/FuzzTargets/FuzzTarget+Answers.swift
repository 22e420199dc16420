import Dialects
import Metering
import ServerSentEvents
import StreamBytes

extension FuzzTarget {
    private static let words = [
        "data: ", "event: ", "id: ", "retry: ", ": ", "\n\n", "\r\n", "\r", "\u{FEFF}",
        "event: error\n", "[DONE]", "{\"choices\":[{\"index\":0,\"delta\":{\"content\":\"",
        "\"usage\":{\"prompt_tokens\":", "\"finish_reason\":\"stop\"",
        "\"tool_calls\":[{\"index\":0",
        "\"function\":{\"name\":\"f\",\"arguments\":\"", "\"type\":\"content_block_delta\"",
        "\"type\":\"message_delta\"", "\"type\":\"message_start\"", "\"partial_json\":\"",
        "\"error\":{\"message\":\"", "\\ud83d", "\\u0000", "null", "99999999999999999999",
    ]

    static let eventStream = FuzzTarget("event-stream", words: words) { input in
        for limit in [64, 1 << 20] {
            Pieces(input).expectSame("an event stream reads the same in any pieces") { pieces in
                events(pieces, limit: limit)
            }
        }
    }

    /// What a parser made of an event stream.
    private struct Events: Equatable {
        var events: [[[UInt8]]] = []
        var failure: EventParsingError?
        var lastID: [UInt8] = []
        var retry: Int64?
        var stray: [UInt8] = []
        var errorField: [UInt8]?
    }

    private static func events(_ pieces: [[UInt8]], limit: Int) -> Events {
        var parser = EventParser(byteLimit: limit)
        var result = Events()
        for piece in pieces where result.failure == nil {
            var position = 0
            do throws(EventParsingError) {
                while let event = try parser.next(in: piece.span, from: &position) {
                    let data = bytes(event.data, in: piece, or: parser.heldData)
                    promise(data.count <= 3 * limit, "an event is bounded")
                    result.events.append([bytes(event.type, in: piece, or: parser.heldType), data])
                }
            } catch {
                result.failure = error
            }
        }
        parser.finish()
        result.lastID = parser.lastEventID
        result.retry = parser.retryMilliseconds
        result.stray = parser.strayText
        result.errorField = parser.errorField
        return result
    }

    private static func bytes(
        _ place: ParsedEvent.Place,
        in piece: [UInt8],
        or held: [UInt8]
    ) -> [UInt8] {
        switch place {
        case .nowhere: []
        case .input(let range): Array(piece[range])
        case .held: held
        }
    }

    static let dialects = FuzzTarget("dialects", words: words) { input in
        let modes: [(Dialect, DeltaMode)] =
            Dialect.allCases.map { ($0, .deltas) }
            + [
                (.openAI, .raw(model: "m", includesUsage: true)),
                (.openAI, .raw(model: "m", includesUsage: false)),
            ]
        for (dialect, mode) in modes {
            Pieces(input).expectSame("an answer reads the same in any pieces") { pieces in
                answer(pieces, dialect, mode)
            }
        }
    }

    /// What a decoder made of an answer.
    private struct DecodedAnswer: Equatable {
        var kinds: [DeltaKind] = []
        var bytes: [UInt8] = []
        var finish: FinishReason?
        var usage: TokenUsage?
        var failure: ProviderFailure?
        var isComplete = false
        var counted: OutputCount
    }

    private static func answer(
        _ pieces: [[UInt8]],
        _ dialect: Dialect,
        _ mode: DeltaMode
    ) -> DecodedAnswer {
        var decoder = DialectDecoder(dialect, mode: mode)
        var batch = DeltaBatch()
        for piece in pieces { decoder.decode(piece.span, into: &batch) }
        decoder.endOfBody(into: &batch)
        let inputCount = pieces.reduce(0) { $0 + $1.count }
        promise(batch.bytes.count <= 8 * inputCount + 1_024, "what is decoded is bounded")
        for entry in batch.entries where entry.kind != .raw {
            let isClean = batch.bytes[entry.range].allSatisfy { $0 >= 0x20 }
            promise(isClean, "deltas hold no control characters")
        }
        return DecodedAnswer(
            kinds: batch.entries.map(\.kind),
            bytes: batch.bytes,
            finish: decoder.finish,
            usage: decoder.usage,
            failure: decoder.failure,
            isComplete: decoder.isComplete,
            counted: decoder.countedOutput
        )
    }

    static let providerAnswer = FuzzTarget("provider-answer", words: words) { input in
        let secret = "sk-0123456789"
        for dialect in Dialect.allCases {
            for status in [400, 401, 429, 500] {
                let failure = ProviderFailure(status: status, body: input, dialect: dialect)
                let scrubbed = failure.scrubbed(of: [secret])
                promise(
                    scrubbed.message.unicodeScalars.count <= ProviderFailure.messageLimit + 64,
                    "a provider's words are bounded"
                )
                promise(!scrubbed.message.contains(secret), "a key is kept to oneself")
            }
        }
        guard let whole = try? WholeResponse(parsing: input, model: "m") else { return }
        promise(isJSON(whole.body), "what is passed on is JSON")
    }

    static let chatRequest = FuzzTarget(
        "chat-request",
        words: words + [
            "{\"model\":\"m\",\"messages\":[", "{\"role\":\"user\",\"content\":\"",
            "\"stream\":true", "\"stream_options\":{\"include_usage\":true}", "\"max_tokens\":",
            "\"tools\":[{\"type\":\"function\"", "\"tool_choice\":", "\"image_url\":{\"url\":\"",
            "\"purpose\":\"", "\"seal\":{",
        ]
    ) { input in
        guard let request = try? ChatRequest(parsing: input, byteLimit: 65_536) else { return }
        promise(!request.model.isEmpty, "a request names a model")
        for dialect in Dialect.allCases {
            let body = try? request.body(
                for: dialect,
                model: "other",
                streams: true,
                asksForUsage: true
            )
            guard let body else { continue }
            promise(isJSON(body), "a provider is sent JSON")
            promise(body.count <= 8 * input.count + 4_096, "a provider's request is bounded")
            guard dialect == .openAI else { continue }
            let again = try? ChatRequest(parsing: body)
            promise(
                again?.model == "other" && again?.streams == true && again?.seal == nil,
                "OpenAI's form is kept"
            )
        }
    }

    static let json = FuzzTarget(
        "json",
        words: [
            "{", "}", "[", "]", ":", ",", "\"a\"", "\\u00", "\\ud83d", "-0.1e+9", "true", "null",
        ]
    ) { input in
        let bytes = input.span
        let isValid = isJSON(input)
        let value = try? JSONValue(parsing: bytes)
        promise((value != nil) == isValid, "two ways of reading JSON agree")
        guard let value else { return }
        _ = value.text(in: bytes)
        _ = value.integer(in: bytes)
        for member in value.members(in: bytes) {
            let name = member.name.text(in: bytes)
            var written: [UInt8] = []
            written.append(jsonString: name)
            let read = try? JSONValue(parsing: written.span)
            promise(
                read?.text(in: written.span) == name,
                "a text that is written reads the same"
            )
        }
        _ = value.elements(in: bytes).count
    }

    private static func isJSON(_ body: [UInt8]) -> Bool {
        var reader = JSONReader()
        do throws(JSONError) {
            _ = try reader.skipValue(body.span)
            try reader.finish(body.span)
            return true
        } catch {
            return false
        }
    }
}
