import Cryptography
import Testing

struct SHA256DigestTests {
    // The vectors of FIPS 180-4's example document.
    @Test(arguments: [
        ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
        ),
    ])
    func `published messages have their published digests`(message: String, digest: String) {
        #expect(SHA256Digest(of: message).hexadecimal == digest)
    }

    @Test func `a digest is read back from either case of digits`() {
        let digest = SHA256Digest(of: "abc")

        #expect(SHA256Digest(hexadecimal: digest.hexadecimal) == digest)
        #expect(SHA256Digest(hexadecimal: digest.hexadecimal.uppercased()) == digest)
        #expect(SHA256Digest(of: "abd") != digest)
    }

    @Test(arguments: [
        "", "ab", String(repeating: "g", count: 64), String(repeating: "a", count: 66),
    ])
    func `anything but 64 digits is no digest`(text: String) {
        #expect(SHA256Digest(hexadecimal: text) == nil)
    }
}
