import BenchmarkSuite
import Testing

struct SealedRepeatsTests {
    @Test func `no pair of key and nonce comes twice over attachments and rotations`() {
        let seals = SealedRepeats(attachments: 20, events: 500, eventsPerKey: 7)
        #expect(seals.eventCount == 10_000)
        #expect(seals.repeatCount == 0)
    }

    @Test func `a salt that comes twice would show`() {
        let salt = SealedRepeats.freshSalt()
        let seals = SealedRepeats(attachments: 2, events: 50, eventsPerKey: 7) { salt }
        #expect(seals.repeatCount == 50)
    }
}
