import Replay
import TestSupport
import Testing

extension EndToEndTests {
    /// What somebody sees who starts Weir for the first time.
    @Suite struct FirstTryTests {
        private let scratch: ScratchFolder

        init() throws { scratch = try ScratchFolder() }

        @Test
        func `the printed line streams a whole answer, which is metered and charged`() async throws
        {
            let weir = try await RunningWeir.start(data: scratch.path("data"))
            let answer = try await output(of: "sh", ["-c", weir.curlLine])

            let recorded = try #require(RecordedAnswer.named("ollama/v1-text-utf8"))
            #expect(digest(text(ofChunks: answer)) == recorded.textDigest)
            #expect(answer.hasSuffix("data: [DONE]\n\n"))

            let entry = try #require(try await weir.meter.entries(1).first)
            #expect(entry["end"] == "complete")
            #expect(entry["account_id"] == "local")
            #expect(entry["model"] == "openai/gpt-4")
            #expect(entry.number("input_tokens") == recorded.input)
            #expect(entry.number("output_tokens") == recorded.usage("output"))
            #expect(entry["usage_source"] == "provider")
            #expect(entry.number("bytes_out") == answer.utf8.count)
            #expect(entry["seq"] == "1")

            let charge = try #require(try await weir.ledger.charges(1).first)
            let rated = try #require(try await rate(entry))
            #expect(charge["record_id"]?.string == entry["record_id"])
            #expect(charge["charge_usd"]?.string == rated["charge"]?.string)
            #expect(charge["subtotal_usd"]?.string == rated["subtotal"]?.string)
            #expect(rated["charge"]?.string != "0.000000000")
            #expect(charge["period"]?.string == rated["period"]?.string)

            try await weir.stop()
            #expect(try await weir.ledger.charges().count == 1)
        }

        /// What `weir rate` says of a record that stands in Redis.
        private func rate(_ entry: MeterEntry) async throws -> JSONTree? {
            let rateCase = JSONTree.object([
                "id": .string("first"), "kind": .string("rate"),
                "record": .object(entry.fields.mapValues { .string($0) }),
                "context": .object([
                    "received_at_ms": .integer(entry.receivedAtMilliseconds),
                    "provider_period_tokens": .integer(0),
                ]),
            ])
            let line = String(decoding: rateCase.encoded ?? [], as: UTF8.self)
            let cases = try scratch.write("cases.jsonl", line + "\n")
            let answer = try await output(of: Place.program("weir"), ["rate", cases])
            return jsonTree(answer)?["expect"]
        }
    }
}
