import Replay
import Testing

struct EmbeddedBodiesTests {
    private var manifest: [JSONTree] {
        JSONTree(parsing: EmbeddedBodies.manifest)?["bodies"]?.elements ?? []
    }

    @Test func `the manifest describes every body`() throws {
        #expect(manifest.count == EmbeddedBodies.all.count)
        for body in EmbeddedBodies.all {
            let file = body.name.replacing("/", with: "-") + ".sse"
            let entry = try #require(manifest.first { $0["file"]?.string == file })
            #expect(entry["bytes"]?.integer == Int64(body.bytes.count))
            #expect(entry["events"]?.integer == Int64(body.pieces.count))
            #expect(entry["wire_format"]?.string == body.format.rawValue)
            #expect(entry["source"]?["licence"]?.string != nil)
        }
    }

    @Test func `all but the body that ends in an error have their terminal event`() {
        for body in EmbeddedBodies.all {
            #expect(body.hasTerminal == !body.name.contains("error"))
        }
    }

    @Test func `a body is found by its name`() {
        #expect(EmbeddedBodies.named("openai/chat-text-usage")?.format == .openAIChat)
        #expect(EmbeddedBodies.named("openai/none") == nil)
    }
}
