import Cryptography
import Sealing
import StreamBytes

/// A gateway's side of a sealed stream and events that it has sealed, for a client to open.
final class SealedStream {
    struct Event {
        var name: String
        var sequence: UInt64
        var payload: [UInt8]

        /// The payload out of its base64.
        var bytes: [UInt8] {
            get { Base64.decode(payload.span) ?? [] }
            set { payload = Array(Base64.encode(newValue).utf8) }
        }
    }

    static let id = "s0-sealed"
    static let key = SharedKey(
        id: "k1",
        account: "acme",
        secret: SecretBytes([UInt8](repeating: 7, count: 32).span)
    )

    let session: SealingSession
    let context = SealingContext()
    var now = MonotonicTime(nanoseconds: 0)
    private var sealer: Sealer?
    private var saltCount: UInt8 = 0

    init(_ offer: SealOffer, pad: Int = 0) {
        session = SealingSession(shared: offer, Self.key, pad: pad)
    }

    /// A client that knows the key.
    static func client(
        key: [UInt8] = [UInt8](repeating: 7, count: 32),
        nonce: UInt8 = 1,
        algorithms: [AEADAlgorithm] = [.aes256GCM],
        pad: Int = 0
    ) -> SealingClient {
        SealingClient(sharedKey: SecretBytes(key.span), id: "k1") {
            SealOffer(
                $0,
                nonce: [UInt8](repeating: nonce, count: 16),
                algorithms: algorithms,
                pad: pad
            )
        }
    }

    /// Begins an attachment; the data of its first event.
    func attach() -> [UInt8] {
        saltCount += 1
        sealer = session.attach(
            stream: Self.id,
            model: "m",
            salt: [UInt8](repeating: saltCount, count: 32),
            at: now,
            in: context
        )
        return sealer?.takeParameters() ?? []
    }

    func event(
        _ name: StaticString,
        _ sequence: UInt64,
        _ content: String = #"{"text":"Hello"}"#
    ) -> Event {
        var payload: [UInt8] = []
        sealer?.seal(
            name,
            sequence: sequence,
            of: Self.id,
            at: now,
            in: context,
            to: &payload
        ) { $0.append(contentsOf: content.utf8) }
        return Event(name: "\(name)", sequence: sequence, payload: payload)
    }
}

/// A client that follows a `SealedStream`.
final class Follower {
    private var unsealer: Unsealer

    init(_ client: consuming SealingClient = SealedStream.client()) {
        unsealer = Unsealer(client)
    }

    var lastSequence: UInt64 { unsealer.lastSequence }
    var isEnded: Bool { unsealer.isEnded }

    func begin(_ parameters: [UInt8], _ sequence: UInt64? = 1) throws(UnsealError) {
        try unsealer.begin(parameters.span, sequence: sequence)
    }

    @discardableResult
    func open(_ event: SealedStream.Event) throws(UnsealError) -> String {
        let opened = try unsealer.open(
            event.payload.span,
            name: event.name,
            sequence: event.sequence
        )
        return String(decoding: opened.content, as: UTF8.self)
    }
}
