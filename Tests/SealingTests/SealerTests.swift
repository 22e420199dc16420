import Cryptography
import Sealing
import StreamBytes
import Testing

struct SealerTests {
    private static func epoch(_ event: SealedStream.Event) throws -> UInt32 {
        let bytes = event.bytes
        try #require(bytes.count >= 4)
        return bytes[..<4].reduce(0) { $0 << 8 | UInt32($1) }
    }

    @Test func `keys change after so many events`() throws {
        let stream = SealedStream(SealedStream.client().offer)
        stream.context.rotation.eventLimit = 3
        _ = stream.attach()

        let epochs = try (2...10).map { try Self.epoch(stream.event("chunk", $0)) }

        #expect(epochs == [0, 0, 0, 1, 1, 1, 2, 2, 2])
    }

    @Test func `keys change after so long, once, with the event that comes then`() throws {
        let stream = SealedStream(SealedStream.client().offer)
        stream.context.rotation.interval = .seconds(60)
        _ = stream.attach()
        var epochs: [UInt32] = []
        for (sequence, seconds) in [(2, 59), (3, 60), (4, 119), (5, 500), (6, 501), (7, 560)] {
            stream.now = MonotonicTime(nanoseconds: Int64(seconds) * 1_000_000_000)
            epochs.append(try Self.epoch(stream.event("chunk", UInt64(sequence))))
        }

        #expect(epochs == [0, 1, 1, 2, 2, 3])
    }

    @Test func `a client follows through the epochs`() throws {
        let stream = SealedStream(SealedStream.client().offer)
        stream.context.rotation.eventLimit = 1
        let follower = Follower()
        try follower.begin(stream.attach())
        for sequence in UInt64(2)...200 {
            let text = try follower.open(stream.event("chunk", sequence, "text \(sequence)"))
            #expect(text == "text \(sequence)")
        }
    }

    @Test func `texts are padded to buckets`() throws {
        let offer = SealedStream.client(pad: 32).offer
        for (pad, bucket) in [(0, 32), (16, 32), (100, 100)] {
            let stream = SealedStream(offer, pad: pad)
            _ = stream.attach()
            for (sequence, length) in [(2, 0), (3, 31), (4, 32), (5, 99), (6, 100)] {
                let content = String(repeating: "x", count: length)
                let event = stream.event("chunk", UInt64(sequence), content)
                #expect(event.bytes.count == 20 + (length + 1 + bucket - 1) / bucket * bucket)
            }
        }
    }

    @Test func `the parameters are told once`() {
        let stream = SealedStream(SealedStream.client().offer)
        let sealer = stream.session.attach(
            stream: SealedStream.id,
            model: "m",
            salt: [UInt8](repeating: 0, count: 32),
            at: stream.now,
            in: stream.context
        )

        #expect(sealer?.owesParameters == true)
        #expect(sealer?.takeParameters().isEmpty == false)
        #expect(sealer?.owesParameters == false)
        #expect(sealer?.takeParameters().isEmpty == true)
    }

    @Test func `a sequence is sealed once`() async {
        await #expect(processExitsWith: .failure) {
            let stream = SealedStream(SealedStream.client().offer)
            _ = stream.attach()
            _ = stream.event("chunk", 2)
            _ = stream.event("chunk", 2)
        }
    }

    @Test func `a stream has so many attachments and no more`() {
        let stream = SealedStream(SealedStream.client().offer)
        for _ in 0..<SealingSession.attachmentLimit {
            let attached = stream.session.attach(
                stream: SealedStream.id,
                model: "m",
                salt: [UInt8](repeating: 0, count: 32),
                at: stream.now,
                in: stream.context
            )
            if attached == nil { Issue.record("refused too early") }
        }

        #expect(stream.attach().isEmpty)
    }

    /// The same text under the same key and nonce gives the same bytes: so none may come twice.
    @Test(arguments: AEADAlgorithm.allCases)
    func `no keystream repeats, over rotations and attachments`(algorithm: AEADAlgorithm) throws {
        let client = SealedStream.client(algorithms: [algorithm])
        let zeros = String(repeating: "\0", count: 16)
        var seen: Set<[UInt8]> = []
        var count = 0
        for _ in 0..<10 {
            let stream = SealedStream(client.offer)
            stream.context.rotation.eventLimit = 50
            for _ in 0..<20 {
                _ = stream.attach()
                for sequence in UInt64(2)...251 {
                    let event = stream.event("chunk", sequence, zeros)
                    seen.insert(Array(event.bytes[4..<20]))
                    count += 1
                }
            }
        }
        // The ten streams are alike in all that they are made of: they repeat each other exactly.
        #expect(count == 50_000)
        #expect(seen.count == 5_000)
    }
}
