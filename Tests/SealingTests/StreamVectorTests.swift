import Cryptography
import Sealing
import StreamBytes
import Testing

/// Streams that another implementation has sealed, sealed and opened again.
struct StreamVectorTests {
    private let vectors: StreamVectors

    init() throws { vectors = try StreamVectors.read() }

    @Test func `the gateway seals what the vectors say, byte for byte`() throws {
        let context = SealingContext()
        context.rotation.eventLimit = 2
        let start = MonotonicTime(nanoseconds: 0)
        for vector in vectors.cases {
            let session = try session(vector)
            for attachment in vector.attachments {
                let sealer = try #require(
                    session.attach(
                        stream: vectors.stream,
                        model: vectors.model,
                        salt: try vector.bytes(attachment.salt),
                        at: start,
                        in: context
                    )
                )
                let parameters = sealer.takeParameters()
                #expect(String(decoding: parameters, as: UTF8.self) == attachment.parameters)
                for record in attachment.records {
                    let content = try record.sealedContent()
                    var payload: [UInt8] = []
                    sealer.seal(
                        Self.names[record.name] ?? "",
                        sequence: record.sequence,
                        of: vectors.stream,
                        at: start,
                        in: context,
                        to: &payload,
                        isDeflated: record.deflated != nil
                    ) { $0 += content }
                    #expect(
                        String(decoding: payload, as: UTF8.self) == record.payload,
                        "\(vector.name) \(record.sequence)"
                    )
                }
            }
        }
        #expect(vectors.cases.count == 5)
    }

    private static let names: [String: StaticString] = [
        "chunk": "chunk", "gap": "gap", "complete": "complete",
    ]

    private func session(_ vector: StreamVectors.Case) throws -> SealingSession {
        let text = Array(vector.offer.utf8)
        let offer = try SealOffer(parsing: text.span)
        switch vector.mode {
        case "hybrid":
            let curve = try #require(AgreementCurve(name: vector.curve ?? ""))
            let privateKey = try vector.bytes(vector.gatewayPrivateKey)
            let key = try EphemeralKey(curve, privateKey: privateKey.span)
            return try SealingSession(hybrid: offer, key, pad: 0)
        case "shared":
            let bytes = try vector.bytes(vector.sharedKey)
            let secret = SecretBytes(bytes.span)
            let key = SharedKey(id: vector.keyId ?? "", account: "acme", secret: secret)
            return SealingSession(shared: offer, key, pad: 0)
        default:
            let password = Array((vector.password ?? "").utf8)
            let key = PasswordKey(
                password: SecretBytes(password.span),
                salt: try vector.bytes(vector.passwordSalt)
            )
            return SealingSession(password: offer, key, pad: 0)
        }
    }

    @Test func `a client opens what the vectors sealed`() throws {
        for vector in vectors.cases {
            var unsealer = Unsealer(try vector.client())
            for (number, attachment) in vector.attachments.enumerated() {
                let parameters = Array(attachment.parameters.utf8)
                try unsealer.begin(parameters.span, sequence: number == 0 ? 1 : nil)
                for record in attachment.records {
                    let payload = Array(record.payload.utf8)
                    let opened = try unsealer.open(
                        payload.span,
                        name: record.name,
                        sequence: record.sequence
                    )
                    #expect(opened.content == (try record.sealedContent()))
                    #expect(opened.isDeflated == (record.deflated != nil))
                }
            }
            let isEnded = unsealer.isEnded
            #expect(isEnded)
        }
    }

    @Test func `an offer is written as clients write it`() throws {
        for vector in vectors.cases {
            let client = try vector.client()
            let offer = client.offer
            let (text, own) = (Array(vector.offer.utf8), offer.text)

            let read = try SealOffer(parsing: text.span)
            let readAgain = try SealOffer(parsing: own.span)

            #expect(read == offer)
            #expect(readAgain == offer)
        }
    }
}
