import CCrypto

/// The SHA-256 of some bytes.
///
/// Source: FIPS 180-4. Two digests are compared in constant time.
package struct SHA256Digest: Sendable {
    /// 32 bytes.
    package let bytes: [UInt8]

    /// Digests `message`.
    package init(of message: [UInt8]) {
        bytes = SHA256Digest.digest(message.span)
    }

    /// Digests the UTF-8 form of `text`.
    package init(of text: String) {
        self.init(of: Array(text.utf8))
    }

    /// Reads 64 hexadecimal digits of either case; nil if `hexadecimal` is anything else.
    package init?(hexadecimal: String) {
        guard let bytes = Base16.decode(hexadecimal), bytes.count == 32 else { return nil }
        self.bytes = bytes
    }

    /// 64 lower-case hexadecimal digits.
    package var hexadecimal: String { Base16.encode(bytes) }

    private static func digest(_ message: Span<UInt8>) -> [UInt8] {
        var result = [UInt8](repeating: 0, count: 32)
        let isDigested = unsafe message.withUnsafeBufferPointer { input in
            unsafe result.withUnsafeMutableBufferPointer { output in
                unsafe EVP_Digest(
                    input.baseAddress,
                    input.count,
                    output.baseAddress,
                    nil,
                    EVP_sha256(),
                    nil
                ) == 1
            }
        }
        precondition(isDigested, "libcrypto always provides SHA-256")
        return result
    }
}

extension SHA256Digest: Equatable {
    package static func == (left: Self, right: Self) -> Bool {
        ConstantTime.areEqual(left.bytes, right.bytes)
    }
}
