import Cryptography
import Testing

struct KeyAgreementTests {
    @Test(arguments: AgreementCurve.allCases)
    func `two fresh keys agree`(curve: AgreementCurve) throws {
        let one = try EphemeralKey(curve)
        let other = try EphemeralKey(curve)
        let (mine, others) = (one.publicKey, other.publicKey)

        let secret = try one.sharedSecret(with: others.span)
        let same = try other.sharedSecret(with: mine.span)

        #expect(secret == same)
        #expect(secret.count == 32)
        #expect(mine != others)
        #expect(CompressedPublicKey(mine, on: curve).publicKey == mine)
    }

    // RFC 7748, section 7, and https://cr.yp.to/ecdh.html: they make the same secret of any key.
    @Test(arguments: [
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    ])
    func `X25519 refuses points of small order`(point: String) throws {
        let point = try #require(Base16.decode(point))
        let key = try EphemeralKey(.x25519)

        #expect(throws: KeyAgreementError.badPublicKey) {
            try key.sharedSecret(with: point.span)
        }
    }

    @Test func `P-256 refuses what is no point of the curve`() throws {
        let key = try EphemeralKey(.p256)
        let good = try EphemeralKey(.p256).publicKey
        var offCurve = good
        offCurve[64] ^= 1
        var hybridForm = good
        hybridForm[0] = 6 | good[64] & 1
        let compressed = [2 | good[64] & 1] + good[1...32]
        let zero = [4] + [UInt8](repeating: 0, count: 64)
        let infinity = [UInt8](repeating: 0, count: 65)
        let large = [4] + [UInt8](repeating: 0xFF, count: 64)
        for point in [offCurve, hybridForm, compressed, zero, infinity, large, [0], []] {
            #expect(throws: KeyAgreementError.badPublicKey) {
                try key.sharedSecret(with: point.span)
            }
        }
        #expect(throws: Never.self) { try key.sharedSecret(with: good.span) }
    }

    @Test(arguments: AgreementCurve.allCases)
    func `a public key of another length is refused`(curve: AgreementCurve) throws {
        let key = try EphemeralKey(curve)
        for count in [0, 1, 31, 33, 64, 66, 4_096] {
            let point = [UInt8](repeating: 4, count: count)
            #expect(throws: KeyAgreementError.badPublicKey) {
                try key.sharedSecret(with: point.span)
            }
        }
    }
}
