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

struct Base64Tests {
    // RFC 4648, section 10.
    @Test(arguments: [
        ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="),
        ("fooba", "Zm9vYmE="), ("foobar", "Zm9vYmFy"),
    ])
    func `base64 follows the RFC's examples both ways`(plain: String, encoded: String) {
        #expect(Base64.encode(Array(plain.utf8)) == encoded)
        #expect(Base64.decode(encoded) == Array(plain.utf8))
    }

    @Test func `base64 is appended behind what is there`() {
        for count in 0..<200 {
            let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 151) }
            var output: [UInt8] = [1, 2]

            Base64.append(bytes.span, to: &output)

            #expect(output.count == 2 + Base64.characterCount(of: count))
            #expect(Array(output[..<2]) == [1, 2])
            #expect(Base64.decode(output.span.extracting(2..<output.count)) == bytes)
        }
    }

    @Test(arguments: [
        "Zg", "Zg=", "Zg===", "Zh==", "Zm9", "Zm9=", "Z-==", "Zm 9v", "====", "=Zg=", "Zg==Zg==",
        "é===",
    ])
    func `base64 refuses what it would not have written`(text: String) {
        #expect(Base64.decode(text) == nil)
    }
}
