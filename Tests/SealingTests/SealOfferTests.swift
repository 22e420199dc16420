import Cryptography
import Sealing
import Testing

struct SealOfferTests {
    private static let nonce = Base64.encode([UInt8](repeating: 1, count: 16))
    private static let publicKey = Base64.encode([UInt8](repeating: 9, count: 32))
    private static let point = Base64.encode([UInt8](repeating: 4, count: 65))

    private static func parse(_ text: String) throws(SealOfferError) -> SealOffer {
        let bytes = Array(text.utf8)
        return try SealOffer(parsing: bytes.span)
    }

    @Test func `each mode is read`() throws {
        let hybrid = try Self.parse(
            #"{"mode":"hybrid","nonce":"\#(Self.nonce)","curve":"p-256","publicKey":"\#(Self.point)"}"#
        )
        let shared = try Self.parse(
            #"{"mode":"shared","nonce":"\#(Self.nonce)","keyId":"k1","pad":64,"compress":true}"#
        )
        let password = try Self.parse(
            #"""
            {"mode":"password","nonce":"\#(Self.nonce)","keyId":null,
             "algorithms":["new-cipher","chacha20-poly1305","aes-256-gcm"]}
            """#
        )

        #expect(
            hybrid.agreement == .hybrid(.p256, publicKey: [UInt8](repeating: 4, count: 65))
        )
        #expect(hybrid.algorithm == .aes256GCM)
        #expect(hybrid.pad == 0 && !hybrid.compresses)
        #expect(shared.agreement == .shared(keyID: "k1"))
        #expect(shared.pad == 64 && shared.compresses)
        #expect(password.agreement == .password)
        #expect(password.algorithm == .chaCha20Poly1305)
        #expect(password.algorithmNames == ["new-cipher", "chacha20-poly1305", "aes-256-gcm"])
    }

    @Test(arguments: [
        ("", ""), ("[]", ""), ("{", ""), (#""text""#, ""), ("{}", "mode"),
        (#"{"mode":"tls"}"#, "mode"), (#"{"mode":1}"#, "mode"), (#"{"mode":"password"}"#, "nonce"),
        (#"{"mode":"password","nonce":"AAAA"}"#, "nonce"),
        (#"{"mode":"password","nonce":"no base64"}"#, "nonce"),
        (#"{"mode":"password","nonce":7}"#, "nonce"),
        (#"{"mode":"password","nonce":"NONCE","salt":"AAAA"}"#, "salt"),
        (#"{"mode":"password","mode":"password","nonce":"NONCE"}"#, "mode"),
        (#"{"mode":"password","nonce":"NONCE","keyId":"k1"}"#, "keyId"),
        (#"{"mode":"shared","nonce":"NONCE"}"#, "keyId"),
        (#"{"mode":"shared","nonce":"NONCE","keyId":""}"#, "keyId"),
        (#"{"mode":"shared","nonce":"NONCE","keyId":"k","publicKey":"AAAA"}"#, "publicKey"),
        (#"{"mode":"hybrid","nonce":"NONCE"}"#, "curve"),
        (#"{"mode":"hybrid","nonce":"NONCE","curve":"p-384"}"#, "curve"),
        (#"{"mode":"hybrid","nonce":"NONCE","curve":"x25519"}"#, "publicKey"),
        (#"{"mode":"hybrid","nonce":"NONCE","curve":"x25519","publicKey":"AAAA"}"#, "publicKey"),
        (#"{"mode":"hybrid","nonce":"NONCE","curve":"p-256","publicKey":"KEY"}"#, "publicKey"),
        (#"{"mode":"password","nonce":"NONCE","algorithms":[]}"#, "algorithms"),
        (#"{"mode":"password","nonce":"NONCE","algorithms":"aes-256-gcm"}"#, "algorithms"),
        (#"{"mode":"password","nonce":"NONCE","algorithms":["rot13"]}"#, "algorithms"),
        (#"{"mode":"password","nonce":"NONCE","algorithms":["a,b","aes-256-gcm"]}"#, "algorithms"),
        (#"{"mode":"password","nonce":"NONCE","algorithms":[1]}"#, "algorithms"),
        (#"{"mode":"password","nonce":"NONCE","pad":-1}"#, "pad"),
        (#"{"mode":"password","nonce":"NONCE","pad":4097}"#, "pad"),
        (#"{"mode":"password","nonce":"NONCE","pad":1.5}"#, "pad"),
        (#"{"mode":"password","nonce":"NONCE","pad":99999999999999999999}"#, "pad"),
        (#"{"mode":"password","nonce":"NONCE","compress":1}"#, "compress"),
    ])
    func `a bad offer is refused by the name of its field`(text: String, field: String) {
        let text = text.replacing("NONCE", with: Self.nonce).replacing("KEY", with: Self.publicKey)

        let error = #expect(throws: SealOfferError.self) { try Self.parse(text) }

        #expect(error?.field == field)
        #expect(error?.reason.isEmpty == false)
    }

    @Test func `an offer that is too long is refused unread`() {
        let text = "{" + String(repeating: " ", count: SealOffer.byteLimit) + "}"

        let error = #expect(throws: SealOfferError.self) { try Self.parse(text) }

        #expect(error?.field == "")
    }
}
