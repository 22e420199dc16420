import Cryptography
import Testing

struct SecretBytesTests {
    @Test func `a secret is not shown`() {
        let secret = SecretBytes(Array("canary".utf8).span)

        var dumped = ""
        dump(secret, to: &dumped)

        #expect("\(secret)" == "redacted")
        #expect(String(reflecting: [secret]) == "[redacted]")
        #expect(!dumped.contains("99"))
        #expect(!dumped.contains("canary"))
    }

    @Test func `secrets are equal by their bytes`() {
        let one = SecretBytes([1, 2, 3].span)

        #expect(one == SecretBytes([1, 2, 3].span))
        #expect(one != SecretBytes([1, 2, 4].span))
        #expect(one != SecretBytes([1, 2].span))
    }

    @Test func `a wiped array is empty`() {
        var bytes: [UInt8] = [1, 2, 3]

        wipe(&bytes)

        #expect(bytes.isEmpty)
    }
}
