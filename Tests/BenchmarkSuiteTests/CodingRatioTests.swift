import BenchmarkSuite
import Foundation
import Replay
import TestSupport
import Testing

/// What the coding in use saves, beside zlib with a compressor for each stream.
struct CodingRatioTests {
    private static let parked = CodingVariant.all[0]
    private static let yardstick = CodingVariant.all.first { $0.isYardstick }

    /// The recorded chats of 50 events and more.
    private static var chats: [RecordedBody] {
        get throws {
            let folder = "\(repositoryRoot())/Tests/Fixtures/streams"
            let files = FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String }
            return try (files ?? []).filter { $0.hasSuffix(".sse") }.sorted().map {
                let data = try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\($0)"))
                return RecordedBody(name: $0, bytes: Array(data))
            }.filter { $0.format != .eventStream && $0.pieces.count >= 50 }
        }
    }

    @Test func `a parked stream is nearly as small as a conventional one`() throws {
        let chats = try Self.chats
        #expect(chats.count >= 8)
        let yardstick = try #require(Self.yardstick)
        for chat in chats {
            let stream = CodedStream.asRecorded(chat)
            let parked = try Self.parked.code(stream, copies: 2)
            let conventional = try yardstick.code(stream, copies: 1)
            #expect(Double(conventional) / Double(parked) >= 0.8, "\(chat.name)")
        }
    }

    @Test func `a long chat that is passed on shrinks to a twelfth`() throws {
        let body = try #require(EmbeddedBodies.named("openai/chat-long-text-no-usage"))
        let stream = CodedStream.passedOn(body)
        let coded = try Self.parked.code(stream, copies: 1)
        #expect(stream.writes.count == 283)
        #expect(Double(stream.byteCount) / Double(coded) >= 12)
    }

    @Test func `copies that take turns are all coded alike`() throws {
        let body = try #require(EmbeddedBodies.named("openai/chat-text-utf8-no-usage"))
        for variant in CodingVariant.all {
            let alone = try variant.code(.passedOn(body), copies: 1)
            #expect(try variant.code(.passedOn(body), copies: 3) == alone, "\(variant.name)")
        }
    }
}
