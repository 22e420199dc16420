/// One body on its way through a content coding, write by write.
///
/// Belongs to one thread at a time; `close` gives back what it holds and comes last.
package protocol BodyEncoder: AnyObject {
    /// Appends the coded form of `bytes` to `output`.
    ///
    /// When it returns, a decoder that has all of the output can read all of the input.
    ///
    /// - Parameters:
    ///   - bytes: the next of the body; none and not the last: nothing is written.
    ///   - eventCount: how many events they are, for the sake of their mean size.
    ///   - isLast: whether the body ends with them; its end is then written too.
    ///   - shared: of the thread on which the body is written, always the same.
    ///   - output: what goes out.
    /// - Throws: `CompressionError.outOfMemory`; the body cannot be continued then.
    func encode(
        _ bytes: Span<UInt8>,
        eventCount: Int,
        isLast: Bool,
        with shared: inout SharedEncoders,
        to output: inout [UInt8]
    ) throws(CompressionError)

    /// Releases what the body holds.
    func close(with shared: inout SharedEncoders)
}
