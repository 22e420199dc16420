import CCrypto

/// Digests many short messages, one after the other, with one context.
///
/// Owns the context: `init` makes it, `deinit` frees it. Use it on one thread at a time.
@safe
package struct SHA256Hasher: ~Copyable {
    private let context: OpaquePointer
    private let algorithm: OpaquePointer

    package init() {
        guard let context = unsafe EVP_MD_CTX_new(),
            let algorithm = unsafe EVP_MD_fetch(nil, "SHA256", nil)
        else { preconditionFailure("libcrypto always provides SHA-256") }
        unsafe self.context = context
        unsafe self.algorithm = algorithm
    }

    deinit {
        unsafe EVP_MD_CTX_free(context)
        unsafe EVP_MD_free(algorithm)
    }

    /// Appends the first bytes of the digest of `message` to `output`.
    ///
    /// - Parameters:
    ///   - message: what to digest.
    ///   - count: how many bytes to append, at most 32.
    ///   - output: takes them.
    package mutating func append(
        digestOf message: [UInt8],
        count: Int,
        to output: inout [UInt8]
    ) {
        precondition((0...32).contains(count), "a digest has 32 bytes")
        var digest = [UInt8](repeating: 0, count: 32)
        let isDone = unsafe message.withUnsafeBytes { input in
            unsafe digest.withUnsafeMutableBufferPointer { result in
                unsafe EVP_DigestInit_ex2(context, algorithm, nil) == 1
                    && EVP_DigestUpdate(context, input.baseAddress, input.count) == 1
                    && EVP_DigestFinal_ex(context, result.baseAddress, nil) == 1
            }
        }
        precondition(isDone, "libcrypto always provides SHA-256")
        output.append(contentsOf: digest.prefix(count))
    }
}
