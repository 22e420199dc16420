import Dialects
import Foundation
import Metering
import Testing

@Suite struct RecordedBodiesTests {
    @Test func `the recordings are there`() {
        #expect(RecordedBodies.chat.count == 29)
        #expect(RecordedBodies.messages.count == 14)
        #expect(RecordedBodies.errors.count == 14)
    }

    @Test(arguments: RecordedBodies.chat)
    func `a recorded OpenAI body is read as its manifest says, whatever the cuts`(
        _ stream: RecordedBodies.Stream
    ) throws {
        try check(stream, .openAI)
    }

    @Test(arguments: RecordedBodies.messages)
    func `a recorded Anthropic body is read as its manifest says, whatever the cuts`(
        _ stream: RecordedBodies.Stream
    ) throws {
        try check(stream, .anthropic)
    }

    /// OpenAI's own form of a recording must tell the same as the recording.
    @Test(arguments: RecordedBodies.chat + RecordedBodies.messages)
    func `deltas written as OpenAI's chunks are read back the same`(
        _ stream: RecordedBodies.Stream
    ) throws {
        let dialect: Dialect = stream.wireFormat == "openai-chat" ? .openAI : .anthropic
        let body = try RecordedBodies.bytes(stream.file)
        let first = DecodedBody(dialect, [body])
        let again = DecodedBody(.openAI, events: try ChunkRewriting.chunks(of: body, dialect))

        #expect(again.text == first.text)
        #expect(again.reasoning == first.reasoning)
        #expect(again.calls == first.calls)
        #expect(again.finish == first.finish)
        #expect(again.usage == first.usage)
    }

    private func check(_ stream: RecordedBodies.Stream, _ dialect: Dialect) throws {
        let body = try RecordedBodies.bytes(stream.file)
        let whole = DecodedBody(dialect, [body], addsForClients: false)
        compare(whole, with: stream)
        var cuttings = [pieces(body, of: 4_096), pieces(body, of: 61)]
        if body.count < 8_000 { cuttings.append(pieces(body, of: 1)) }
        var generator = SeededGenerator(seed: UInt64(body.count))
        cuttings.append(cut(body, with: &generator))
        for cutting in cuttings {
            let decoded = DecodedBody(dialect, cutting, addsForClients: false)
            #expect(decoded == whole, "\(stream.file) in \(cutting.count) pieces")
        }
    }

    private func cut(_ body: [UInt8], with generator: inout SeededGenerator) -> [[UInt8]] {
        var parts: [[UInt8]] = []
        var start = 0
        while start < body.count {
            let size = [1, 2, 3, 7, 16, 200, 1_400].randomElement(using: &generator) ?? 1
            parts.append(Array(body[start..<min(start + size, body.count)]))
            start += size
        }
        return parts
    }

    private func compare(_ decoded: DecodedBody, with stream: RecordedBodies.Stream) {
        let nothing = SHA256.hex([])
        #expect(SHA256.hex(Array(decoded.text.utf8)) == stream.text?.sha256 ?? nothing)
        #expect(
            SHA256.hex(Array(decoded.reasoning.utf8)) == stream.reasoningText?.sha256 ?? nothing
        )
        #expect(decoded.calls.map(\.name) == stream.toolCalls.map(\.name))
        #expect(
            decoded.calls.map { SHA256.hex(Array($0.arguments.utf8)) }
                == stream.toolCalls.map(\.arguments.sha256)
        )
        #expect(decoded.isTerminal == stream.terminalSeen)
        let isCut = !stream.terminalSeen && stream.finishReason == nil
        #expect((decoded.failure != nil || !decoded.isComplete) == (stream.endsWithError || isCut))
        if stream.finishReason != "error" {
            #expect(decoded.finish?.rawValue == stream.finishReason)
        }
        #expect((decoded.reportedUsage == nil) == (stream.usage == nil))
        #expect(decoded.reportedUsage?.input ?? 0 == stream.usage?.input ?? 0)
        #expect(decoded.reportedUsage?.output ?? 0 == stream.usage?.output ?? 0)
        #expect(decoded.reportedUsage?.cachedInput ?? 0 == stream.usage?.cachedInput ?? 0)
        #expect(decoded.reportedUsage?.cacheWrite ?? 0 == stream.usage?.cacheWrite ?? 0)
        #expect(decoded.reportedUsage?.reasoning ?? 0 == stream.usage?.reasoning ?? 0)
    }
}
