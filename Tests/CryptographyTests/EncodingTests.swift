import Cryptography
import Testing

struct EncodingTests {
    // RFC 4648, section 10, without the padding.
    @Test(arguments: [
        ("", ""), ("f", "Zg"), ("fo", "Zm8"), ("foo", "Zm9v"), ("foob", "Zm9vYg"),
        ("fooba", "Zm9vYmE"), ("foobar", "Zm9vYmFy"),
    ])
    func `base64url follows the RFC's examples both ways`(plain: String, encoded: String) {
        #expect(Base64URL.encode(Array(plain.utf8)) == encoded)
        #expect(Base64URL.decode(encoded) == Array(plain.utf8))
    }

    @Test func `base64url uses the two letters that URLs allow`() {
        #expect(Base64URL.encode([0xFB, 0xEF, 0xFF]) == "--__")
        #expect(Base64URL.decode("--__") == [0xFB, 0xEF, 0xFF])
    }

    @Test(arguments: ["A", "Zg==", "Zh", "Zm9", "Z+==", "Zm 9v", "é"])
    func `base64url refuses what it would not have written`(text: String) {
        #expect(Base64URL.decode(text) == nil)
    }

    @Test func `hexadecimal goes both ways for every byte`() {
        let bytes = Array(UInt8.min...UInt8.max)

        #expect(Base16.decode(Base16.encode(bytes)) == bytes)
        #expect(Base16.encode([0x00, 0x9A, 0xFF]) == "009aff")
        #expect(Base16.decode("0") == nil)
        #expect(Base16.decode("0x") == nil)
    }
}
