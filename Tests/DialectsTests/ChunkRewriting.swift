import Dialects
import StreamBytes

/// Writes a provider's body again as OpenAI's chunks.
enum ChunkRewriting {
    static func chunks(of body: [UInt8], _ dialect: Dialect) throws -> [String] {
        var decoder = DialectDecoder(dialect, mode: .deltas)
        var batch = DeltaBatch()
        decoder.decode(body.span, into: &batch)
        decoder.endOfBody(into: &batch)
        var writer = OpenAIChunkWriter(
            id: "chatcmpl-1",
            created: 1_700_000_000,
            model: "m",
            includesUsage: true
        )
        var chunks: [String] = []
        for entry in batch.entries {
            var output: [UInt8] = []
            writer.append(entry.kind, batch.bytes.span.extracting(entry.range), to: &output)
            chunks.append(String(decoding: output, as: UTF8.self))
        }
        if let finish = decoder.finish {
            var output: [UInt8] = []
            writer.append(finish: finish, to: &output)
            chunks.append(String(decoding: output, as: UTF8.self))
        }
        if let usage = decoder.usage {
            var output: [UInt8] = []
            writer.append(usage: usage, to: &output)
            chunks.append(String(decoding: output, as: UTF8.self))
        }
        return chunks
    }
}
