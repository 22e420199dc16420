import Dialects
import HTTPServer
import HTTPWire
import StreamBytes

/// The answer to a client of OpenAI's format whose response had not begun when the stream ended.
enum OpenAIAnswer {
    /// Makes the answer.
    ///
    /// - Parameters:
    ///   - client: what its response carries.
    ///   - order: what was asked for.
    ///   - ending: how the stream ended.
    ///   - id: the stream.
    ///   - log: its events.
    ///   - openedAt: when it opened.
    /// - Returns: the whole response.
    static func response(
        to client: AttachedClient,
        of order: StreamOrder,
        _ ending: StreamPath.Ending,
        id: StreamID,
        log: borrowing EventLog,
        openedAt: WallTime
    ) -> HTTPResponse {
        let answer = Answer(isOpenAI: true, fields: client.fields)
        switch ending.outcome {
        case .failed(let failure): return answer.failure(failure)
        case .complete(let reason) where ending.outcome.isForced:
            return answer.failure(StreamFailure(forced: reason))
        case .complete(let reason):
            return answer.json(200, whole(client, order, ending, reason, id, log, openedAt))
        }
    }

    /// The whole object: the provider's own, or one made of the deltas.
    private static func whole(
        _ client: AttachedClient,
        _ order: StreamOrder,
        _ ending: StreamPath.Ending,
        _ reason: FinishReason,
        _ id: StreamID,
        _ log: borrowing EventLog,
        _ openedAt: WallTime
    ) -> [UInt8] {
        var cursor = client.cursor
        var writer = ChatCompletionWriter(
            id: "chatcmpl-\(id.text)",
            created: openedAt.milliseconds / 1_000,
            model: order.model.name
        )
        while let entry = log.next(&cursor) {
            if entry.kind == .raw { return Array(log.bytes[entry.payload]) }
            if let kind = entry.kind.delta {
                writer.append(kind, log.bytes.span.extracting(entry.payload))
            }
        }
        var body: [UInt8] = []
        writer.append(finish: reason, usage: ending.usage, to: &body)
        return body
    }
}
