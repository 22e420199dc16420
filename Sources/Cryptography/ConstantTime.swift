import CCrypto

/// Comparisons whose duration tells nothing of what was compared.
package enum ConstantTime {
    /// Returns whether both hold the same bytes; the time depends on their lengths alone.
    package static func areEqual(_ left: [UInt8], _ right: [UInt8]) -> Bool {
        areEqual(left.span, right.span)
    }

    /// Returns whether both hold the same bytes; the time depends on their lengths alone.
    package static func areEqual(_ left: Span<UInt8>, _ right: Span<UInt8>) -> Bool {
        guard left.count == right.count else { return false }
        return unsafe left.withUnsafeBytes { left in
            unsafe right.withUnsafeBytes { right in
                guard let first = left.baseAddress, let second = right.baseAddress else {
                    return true  // both are empty
                }
                return unsafe CRYPTO_memcmp(first, second, left.count) == 0
            }
        }
    }
}
