import Cryptography
import Sealing
import StreamBytes
import TestSupport
import Testing

/// What a client notices.
struct UnsealerTests {
    /// An attachment that has begun, and the client that follows it.
    private func begun(
        _ rotation: SealRotation = SealRotation()
    ) throws -> (SealedStream, Follower) {
        let stream = SealedStream(SealedStream.client().offer)
        stream.context.rotation = rotation
        let follower = Follower()
        try follower.begin(stream.attach())
        return (stream, follower)
    }

    @Test func `an answer is opened to its end`() throws {
        let (stream, follower) = try begun()

        let first = try follower.open(stream.event("chunk", 2))
        let last = try follower.open(stream.event("complete", 3, "{}"))

        #expect(first == #"{"text":"Hello"}"#)
        #expect(last == "{}")
        #expect(follower.isEnded)
    }

    @Test func `every changed bit is noticed, and nothing is opened after it`() throws {
        for bit in 0..<37 * 8 {
            let (stream, follower) = try begun()
            let genuine = stream.event("chunk", 2)
            var forged = genuine
            forged.bytes[bit / 8] ^= 1 << UInt8(bit % 8)

            #expect(throws: UnsealError.self) { try follower.open(forged) }
            #expect(throws: UnsealError.notGenuine) { try follower.open(genuine) }
        }
    }

    @Test func `a payload that was cut is noticed`() throws {
        for count in 0..<37 {
            let (stream, follower) = try begun()
            var cut = stream.event("chunk", 2)
            #expect(cut.bytes.count == 37)
            cut.bytes = Array(cut.bytes[..<count])

            #expect(throws: UnsealError.self) { try follower.open(cut) }
        }
    }

    @Test func `a dropped event is noticed`() throws {
        let (stream, follower) = try begun()
        _ = stream.event("chunk", 2)
        let third = stream.event("chunk", 3)

        #expect(throws: UnsealError.outOfOrder(expected: 2, found: 3)) {
            try follower.open(third)
        }
    }

    @Test func `an event that takes the place of a dropped one is noticed`() throws {
        let (stream, follower) = try begun()
        _ = stream.event("chunk", 2)
        var third = stream.event("chunk", 3)
        third.sequence = 2

        #expect(throws: UnsealError.notGenuine) { try follower.open(third) }
    }

    @Test func `a repeated event is noticed`() throws {
        let (stream, follower) = try begun()
        let second = stream.event("chunk", 2)
        var renumbered = second
        renumbered.sequence = 3
        try follower.open(second)

        #expect(throws: UnsealError.outOfOrder(expected: 3, found: 2)) {
            try follower.open(second)
        }
        let (_, another) = try begun()
        try another.open(second)
        #expect(throws: UnsealError.notGenuine) { try another.open(renumbered) }
    }

    @Test func `events that changed places are noticed`() throws {
        let (stream, follower) = try begun()
        var second = stream.event("chunk", 2)
        var third = stream.event("chunk", 3, #"{"text":"other"}"#)
        swap(&second.payload, &third.payload)

        #expect(throws: UnsealError.notGenuine) { try follower.open(second) }
    }

    @Test func `an event under another name is noticed`() throws {
        let (stream, follower) = try begun()
        var event = stream.event("chunk", 2)
        event.name = "complete"

        #expect(throws: UnsealError.notGenuine) { try follower.open(event) }
    }

    @Test func `an event of another attachment is noticed`() throws {
        let (stream, follower) = try begun()
        _ = stream.attach()
        let foreign = stream.event("chunk", 2)

        #expect(throws: UnsealError.notGenuine) { try follower.open(foreign) }
    }

    @Test(arguments: [2, 3, 255, UInt32.max])
    func `an epoch that is neither the running one nor the next is noticed`(
        epoch: UInt32
    ) throws {
        let (stream, follower) = try begun()
        var event = stream.event("chunk", 2)
        for index in 0..<4 {
            event.bytes[index] = UInt8(truncatingIfNeeded: epoch >> (24 - 8 * UInt32(index)))
        }

        #expect(throws: UnsealError.wrongEpoch(running: 0, found: epoch)) {
            try follower.open(event)
        }
    }

    @Test func `an epoch does not come back`() throws {
        var rotation = SealRotation()
        rotation.eventLimit = 1
        let (stream, follower) = try begun(rotation)
        let (slow, _) = try begun()
        for sequence in UInt64(2)...5 { try follower.open(stream.event("chunk", sequence)) }
        for sequence in UInt64(2)...5 { _ = slow.event("chunk", sequence) }
        let old = slow.event("chunk", 6)

        #expect(throws: UnsealError.wrongEpoch(running: 3, found: 0)) { try follower.open(old) }
    }

    @Test func `another key opens nothing`() throws {
        let offer = SealedStream.client().offer
        let stream = SealedStream(offer)
        let parameters = stream.attach()
        let event = stream.event("chunk", 2)
        let strangers = [
            Follower(SealedStream.client(key: [UInt8](repeating: 8, count: 32))),
            Follower(SealedStream.client(nonce: 2)),
            Follower(SealedStream.client(algorithms: [.aes256GCM, .chaCha20Poly1305])),
            Follower(SealedStream.client(pad: 16)),
        ]
        for stranger in strangers {
            try stranger.begin(parameters)
            #expect(throws: UnsealError.notGenuine) { try stranger.open(event) }
        }
        let owner = Follower()
        try owner.begin(parameters)
        #expect(throws: Never.self) { try owner.open(event) }
    }

    @Test func `parameters in which anything was changed open nothing`() throws {
        let (stream, _) = try begun()
        let parameters = stream.attach()
        let event = stream.event("chunk", 2)
        for index in parameters.indices {
            var changed = parameters
            changed[index] ^= 1
            let follower = Follower()
            #expect(throws: UnsealError.self, "byte \(index)") {
                try follower.begin(changed)
                try follower.open(event)
            }
        }
    }

    @Test func `an event before the parameters is not taken`() throws {
        let (stream, _) = try begun()
        let follower = Follower()
        let event = stream.event("chunk", 1)

        #expect(throws: UnsealError.notSealed) { try follower.open(event) }
    }

    @Test func `nothing is taken after the end`() throws {
        let (stream, follower) = try begun()
        try follower.open(stream.event("error", 2))
        let late = stream.event("chunk", 3)

        #expect(throws: UnsealError.afterTheEnd) { try follower.open(late) }
    }

    @Test func `a gap must be as wide as its number says`() throws {
        let (stream, follower) = try begun()
        try follower.open(stream.event("gap", 7, #"{"lost":6}"#))
        let next = try follower.open(stream.event("chunk", 8))
        #expect(next == #"{"text":"Hello"}"#)
        let narrow = stream.event("gap", 12, #"{"lost":3}"#)

        #expect(throws: UnsealError.outOfOrder(expected: 9, found: 12)) {
            try follower.open(narrow)
        }
    }

    @Test func `a client that comes back goes on where it was`() throws {
        let (stream, follower) = try begun()
        try follower.open(stream.event("chunk", 2))
        // An answer that was lost on its way: the client never saw it.
        _ = stream.attach()
        try follower.begin(stream.attach(), nil)
        let third = try follower.open(stream.event("chunk", 3))

        #expect(third == #"{"text":"Hello"}"#)
        #expect(follower.lastSequence == 3)
    }

    @Test func `a stream begins once`() throws {
        let (stream, follower) = try begun()
        try follower.open(stream.event("chunk", 2))
        let again = stream.attach()

        #expect(throws: UnsealError.outOfOrder(expected: 3, found: 1)) {
            try follower.begin(again)
        }
    }

    @Test func `no bytes trap`() throws {
        let seed = UInt64.random(in: 0...UInt64.max)
        var random = SeededChance(seed: seed)
        let (stream, _) = try begun()
        let parameters = stream.attach()
        let genuine = stream.event("chunk", 2)
        for _ in 0..<3_000 {
            let follower = Follower()
            var told = random.chance(perMille: 500) ? parameters : []
            for _ in 0..<random.within(0...20) {
                let byte = UInt8(truncatingIfNeeded: random.within(0...255))
                told.insert(byte, at: random.within(0...told.count))
            }
            try? follower.begin(told, random.chance(perMille: 500) ? 1 : nil)
            try? follower.begin(parameters, nil)
            var event = genuine
            event.payload = Array(genuine.payload.prefix(random.within(0...60)))
            if !event.payload.isEmpty {
                let index = random.below(event.payload.count)
                event.payload[index] = UInt8(truncatingIfNeeded: random.within(0...255))
            }
            event.name = ["chunk", "gap", "", "complete"][random.below(4)]
            event.sequence = UInt64(random.within(0...4))
            let opened = try? follower.open(event)
            #expect(opened == nil || event.payload == genuine.payload, "seed \(seed)")
        }
    }
}
