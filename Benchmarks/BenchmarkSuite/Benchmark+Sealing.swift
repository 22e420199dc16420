import Cryptography
import Sealing
import StreamBytes

extension Benchmark {
    /// Seals events as one stream after the other sends them: the keys change with each.
    static let seal = Benchmark("seal an event", unit: "event", smoke: 500, full: 1_000_000) {
        count in
        let context = SealingContext()
        let session = SealingSession(shared: .benchmarkOffer, .benchmark, pad: 0)
        let now = MonotonicTime(nanoseconds: 0)
        let salt = [UInt8](repeating: 3, count: SealingSession.saltByteCount)
        let sealers = (0..<8).compactMap { _ in
            session.attach(stream: "s", model: "m", salt: salt, at: now, in: context)
        }
        let content = [UInt8](repeating: 0x61, count: 206)
        var payload: [UInt8] = []
        var checksum = 0
        for number in 0..<count {
            payload.removeAll(keepingCapacity: true)
            sealers[number % sealers.count].seal(
                "message",
                sequence: UInt64(number + 1),
                of: "str_0123456789abcdefghijkl",
                at: now,
                in: context,
                to: &payload
            ) { $0.append(contentsOf: content) }
            checksum &+= payload.count &+ Int(payload[payload.count / 2])
        }
        return checksum
    }
}

extension SharedKey {
    /// A key that everybody knows.
    static let benchmark = SharedKey(
        id: "k",
        account: "a",
        secret: SecretBytes([UInt8](repeating: 7, count: 32).span)
    )
}

extension SealOffer {
    /// A client's that has the same key.
    static let benchmarkOffer = SealingClient(
        sharedKey: SecretBytes([UInt8](repeating: 7, count: 32).span),
        id: "k"
    ) {
        SealOffer($0, nonce: [UInt8](repeating: 1, count: 16), algorithms: [.aes256GCM], pad: 0)
    }.offer
}
