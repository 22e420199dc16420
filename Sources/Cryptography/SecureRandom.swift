import CCrypto

/// Randomness from libcrypto's generator, which the system seeds.
package enum SecureRandom {
    /// Returns `count` random bytes.
    ///
    /// - Throws: `RandomnessError` when the generator could not be seeded.
    package static func bytes(_ count: Int) throws(RandomnessError) -> [UInt8] {
        precondition((0...65_536).contains(count), "a request for random bytes is short")
        var result = [UInt8](repeating: 0, count: count)
        let isFilled = unsafe result.withUnsafeMutableBufferPointer { buffer in
            unsafe RAND_bytes(buffer.baseAddress, Int32(buffer.count)) == 1
        }
        guard isFilled else { throw RandomnessError() }
        return result
    }

    /// Returns a token of `length` characters, each with the same chance out of `0-9 A-Z a-z`:
    /// 5.95 bits a character.
    ///
    /// - Throws: `RandomnessError` when the generator could not be seeded.
    package static func base62(length: Int) throws(RandomnessError) -> String {
        var characters: [UInt8] = []
        while characters.count < length {
            for byte in try bytes(64) where byte < 248 && characters.count < length {
                // 248 is four times 62: taking the larger ones too would favour the first letters.
                characters.append(base62Alphabet[Int(byte) % 62])
            }
        }
        return String(decoding: characters, as: UTF8.self)
    }

    private static let base62Alphabet = Array(
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8
    )
}

/// The system has no randomness to give.
package struct RandomnessError: Error, Equatable {}
