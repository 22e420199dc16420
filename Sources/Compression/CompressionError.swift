/// Why bytes cannot be coded or decoded.
package enum CompressionError: Error, Equatable, Sendable {
    /// The library could not reserve its state.
    case outOfMemory
    /// The bytes are not of that coding, or were damaged.
    case malformed
    /// More bytes follow the end of the coded ones.
    case trailingBytes
    /// One call would have yielded more than this many bytes.
    case tooLong(limit: Int)
}
