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

    /// Appends the first bytes of the digest of a message in two parts.
    ///
    /// - Parameters:
    ///   - first: how the message begins.
    ///   - second: the rest of it.
    ///   - count: how many bytes to append, at most 32.
    ///   - output: takes them.
    package mutating func append(
        digestOf first: [UInt8],
        _ second: RawSpan,
        count: Int,
        to output: inout [UInt8]
    ) {
        precondition((0...32).contains(count), "a digest has 32 bytes")
        var digest: [32 of UInt8] = .init(repeating: 0)
        var result = digest.mutableSpan
        let isBegun = unsafe first.withUnsafeBytes { input in
            unsafe EVP_DigestInit_ex2(context, algorithm, nil) == 1
                && (input.isEmpty
                    || EVP_DigestUpdate(context, input.baseAddress, input.count) == 1)
        }
        let isDone = unsafe second.withUnsafeBytes { input in
            unsafe result.withUnsafeMutableBufferPointer { result in
                unsafe EVP_DigestUpdate(context, input.baseAddress, input.count) == 1
                    && EVP_DigestFinal_ex(context, result.baseAddress, nil) == 1
            }
        }
        precondition(isBegun && isDone, "libcrypto always provides SHA-256")
        for index in 0..<count { output.append(digest[index]) }
    }
}
