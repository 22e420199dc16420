import Cryptography
import Testing

struct SecureRandomTests {
    @Test func `a token has the length asked for and only letters and digits`() throws {
        for length in [0, 1, 32, 500] {
            let token = try SecureRandom.base62(length: length)

            #expect(token.utf8.count == length)
            #expect(token.utf8.allSatisfy { $0 < 128 && Character(UnicodeScalar($0)).isBase62 })
        }
    }

    @Test func `two tokens differ`() throws {
        #expect(try SecureRandom.base62(length: 32) != SecureRandom.base62(length: 32))
        #expect(try SecureRandom.bytes(16) != SecureRandom.bytes(16))
    }

    @Test func `every letter turns up in a long token`() throws {
        // The chance that one of 62 is absent from 10,000 is below 10^-68.
        #expect(Set(try SecureRandom.base62(length: 10_000)).count == 62)
    }

    @Test func `comparison looks at every byte and at the length`() {
        #expect(ConstantTime.areEqual([], []))
        #expect(ConstantTime.areEqual([1, 2, 3], [1, 2, 3]))
        #expect(!ConstantTime.areEqual([1, 2, 3], [1, 2, 4]))
        #expect(!ConstantTime.areEqual([0, 2, 3], [1, 2, 3]))
        #expect(!ConstantTime.areEqual([1, 2], [1, 2, 3]))
    }
}

extension Character {
    fileprivate var isBase62: Bool { isASCII && (isLetter || isNumber) }
}
