import Dialects
import Replay
import StreamBytes

/// The writes of one recorded answer, one event each, as a client gets them.
package struct CodedStream: Sendable {
    package let name: String
    package let writes: [[UInt8]]

    package var byteCount: Int { writes.reduce(0) { $0 + $1.count } }

    /// What OpenAI's clients get where the provider speaks their dialect.
    package static func passedOn(_ body: RecordedBody) -> CodedStream {
        var decoder = DialectDecoder(.openAI, mode: .raw(model: "gpt-4", includesUsage: false))
        var batch = DeltaBatch()
        var writes: [[UInt8]] = []
        for piece in body.pieces {
            decoder.decode(body.bytes.span.extracting(piece), into: &batch)
            for entry in batch.entries {
                writes.append(Array("data: ".utf8) + batch.bytes[entry.range] + Array("\n\n".utf8))
            }
            batch.removeAll()
        }
        writes.append(Array("data: [DONE]\n\n".utf8))
        return CodedStream(name: "\(body.name), passed on", writes: writes)
    }

    /// The same answer as Weir's own events.
    package static func weirEvents(_ body: RecordedBody, _ dialect: Dialect) -> CodedStream {
        var decoder = DialectDecoder(dialect, mode: .deltas)
        var batch = DeltaBatch()
        var writes: [[UInt8]] = []
        for piece in body.pieces {
            decoder.decode(body.bytes.span.extracting(piece), into: &batch)
            for entry in batch.entries {
                let name = entry.kind == .reasoning ? "reasoning" : "text"
                let head =
                    "id: s0-3k9fq2m7x1b8v5c0z4n6l2hd.\(writes.count + 1)\nevent: chunk\ndata: {\"\(name)\":\""
                writes.append(
                    Array(head.utf8) + batch.bytes[entry.range] + Array("\"}\n\n".utf8)
                )
            }
            batch.removeAll()
        }
        return CodedStream(name: "\(body.name), Weir's events", writes: writes)
    }

    /// An answer as it was recorded, of whatever dialect.
    package static func asRecorded(_ body: RecordedBody) -> CodedStream {
        CodedStream(name: body.name, writes: body.pieces.map { Array(body.bytes[$0]) })
    }
}
