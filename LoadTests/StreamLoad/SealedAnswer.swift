import Cryptography
import Sealing
import StreamBytes

/// The key that the answers of a load test are sealed with; the server knows it by its id.
package struct LoadSeal: Sendable, Equatable {
    package let keyID: String
    package let key: [UInt8]

    /// Reads `ID:KEY`, the key's 32 bytes in base64.
    package init?(parsing text: String) {
        guard let colon = text.firstIndex(of: ":"), colon != text.startIndex,
            let key = Base64.decode(Array(text[text.index(after: colon)...].utf8).span),
            key.count == 32
        else { return nil }
        keyID = String(text[..<colon])
        self.key = key
    }

    /// What each request carries.
    ///
    /// All of them say the same: the server salts each answer anew.
    var offer: [UInt8] { client.offer.text }

    var client: SealingClient {
        SealingClient(sharedKey: SecretBytes(key.span), id: keyID) {
            SealOffer(
                $0,
                nonce: [UInt8](repeating: 0, count: 16),
                algorithms: [.aes256GCM],
                pad: 0
            )
        }
    }
}

/// Opens the events of one sealed answer.
struct SealedAnswer: ~Copyable {
    private var unsealer: Unsealer
    private var hasBegun = false

    init(_ seal: LoadSeal) { unsealer = Unsealer(seal.client) }

    /// Takes an event.
    ///
    /// - Parameters:
    ///   - type: the event's; empty in OpenAI's format.
    ///   - data: the event's.
    ///   - number: the one in its id, if it has one.
    /// - Returns: its data as it were without sealing, empty for events that tell nothing; nil: it was
    ///   changed, is not sealed, or comes out of turn.
    mutating func open(type: String, _ data: Span<UInt8>, number: UInt64?) -> [UInt8]? {
        if type == "heartbeat" { return [] }
        do throws(UnsealError) {
            guard hasBegun, type != "seal" else {
                hasBegun = true
                try unsealer.begin(data, sequence: type == "start" ? number : nil)
                return []
            }
            guard let value = try? JSONValue(parsing: data),
                let payload = value.member("sealed", in: data)?.text(in: data),
                let sequence = value.member("n", in: data)?.integer(in: data)
                    .flatMap(UInt64.init(exactly:)) ?? number
            else { return nil }
            let opened = try unsealer.open(
                Array(payload.utf8).span,
                name: type.isEmpty ? "data" : type,
                sequence: sequence
            )
            return opened.isDeflated ? nil : opened.content
        } catch {
            return nil
        }
    }
}
