import Cryptography
import Sealing
import StreamBytes

extension FuzzTarget {
    static let sealOffer = FuzzTarget(
        "seal-offer",
        words: [
            "{\"mode\":\"", "hybrid", "shared", "password", "\"nonce\":\"", "\"keyId\":\"",
            "\"publicKey\":\"", "\"curve\":\"", "x25519", "p-256", "\"algorithms\":[\"",
            "aes-256-gcm", "chacha20-poly1305", "\"pad\":", "\"compress\":true",
        ]
    ) { input in
        guard let offer = try? SealOffer(parsing: input.span) else { return }
        promise(
            SealOffer.nonceByteCounts.contains(offer.nonce.count),
            "a nonce is long enough"
        )
        promise((0...SealOffer.padLimit).contains(offer.pad), "padding is bounded")
        let again = try? SealOffer(parsing: offer.text.span)
        promise(again == offer, "an offer that was read can be written and read again")
    }

    /// The first byte says what is done with the rest: it is taken for an event, or it changes a
    /// genuine one.
    static let unsealer = FuzzTarget(
        "unsealer",
        words: ["{\"algorithm\":\"", "\"salt\":\"", "\"epoch\":", "\u{0}\u{0}\u{0}\u{1}"]
    ) { input in
        guard let kind = input.first else { return }
        let rest = Array(input.dropFirst())
        var gateway = GatewaySide()
        var client = Unsealer(gateway.client())
        let parameters = gateway.attach()
        switch kind % 3 {
        case 0:
            // Whatever is told at the beginning.
            _ = try? client.begin(rest.span, sequence: 1)
            expectNothing(from: &client, Array(Base64.encode(rest).utf8))
        case 1:
            guard (try? client.begin(parameters.span, sequence: 1)) != nil else {
                preconditionFailure("what the gateway tells is taken")
            }
            expectNothing(from: &client, rest)
        default:
            guard (try? client.begin(parameters.span, sequence: 1)) != nil else {
                preconditionFailure("what the gateway tells is taken")
            }
            var forged = gateway.event()
            let genuine = forged
            for (place, change) in rest.enumerated().prefix(forged.count) {
                forged[place] ^= change
            }
            let payload = Array(Base64.encode(forged).utf8)
            let opened = try? client.open(payload.span, name: "chunk", sequence: 2)
            promise((opened != nil) == (forged == genuine), "only what is genuine is opened")
        }
    }

    private static func expectNothing(from client: inout Unsealer, _ payload: [UInt8]) {
        let opened = try? client.open(payload.span, name: "chunk", sequence: 2)
        promise(opened == nil, "only what is genuine is opened")
    }
}

/// A gateway that seals one event.
private struct GatewaySide {
    private static let secret = [UInt8](repeating: 7, count: 32)
    private static let stream = "s0-sealed"
    private let context = SealingContext()
    private let session: SealingSession
    private var sealer: Sealer?
    private let now = MonotonicTime(nanoseconds: 0)

    init() {
        let key = SharedKey(id: "k", account: "a", secret: SecretBytes(Self.secret.span))
        session = SealingSession(shared: Self.offer(.shared(keyID: "k")), key, pad: 0)
    }

    private static func offer(_ agreement: SealOffer.Agreement) -> SealOffer {
        SealOffer(
            agreement,
            nonce: [UInt8](repeating: 1, count: 16),
            algorithms: [.aes256GCM],
            pad: 0
        )
    }

    func client() -> SealingClient {
        SealingClient(sharedKey: SecretBytes(Self.secret.span), id: "k", offer: Self.offer)
    }

    mutating func attach() -> [UInt8] {
        sealer = session.attach(
            stream: Self.stream,
            model: "m",
            salt: [UInt8](repeating: 3, count: 32),
            at: now,
            in: context
        )
        return sealer?.takeParameters() ?? []
    }

    /// Number 2, out of its base64.
    mutating func event() -> [UInt8] {
        var payload: [UInt8] = []
        sealer?.seal(
            "chunk",
            sequence: 2,
            of: Self.stream,
            at: now,
            in: context,
            to: &payload
        ) { $0.append(contentsOf: #"{"text":"Hello"}"#.utf8) }
        return Base64.decode(payload.span) ?? []
    }
}
