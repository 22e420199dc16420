import HTTPWire

/// One coded body that is read as it comes.
package struct BodyDecoder: ~Copyable {
    /// One of the two is there.
    private var inflate: InflateState?
    private var brotli: BrotliDecoderState?
    private let byteLimit: Int
    /// Whether the body has come to its end.
    package private(set) var isFinished = false

    /// - Parameters:
    ///   - coding: as the response says.
    ///   - byteLimit: the most that one call may yield.
    /// - Throws: `CompressionError.outOfMemory`.
    package init(_ coding: ContentCoding, byteLimit: Int = 1 << 24) throws(CompressionError) {
        self.byteLimit = byteLimit
        switch coding {
        case .gzip: inflate = try InflateState(.gzip)
        case .deflate: inflate = try InflateState(.zlib)
        case .brotli: brotli = try BrotliDecoderState()
        }
    }

    /// Reads what `DeflateEngine` and others write without anything around it (RFC 1951).
    ///
    /// - Parameter byteLimit: the most that one call may yield.
    /// - Throws: `CompressionError.outOfMemory`.
    package init(rawDeflateWithin byteLimit: Int) throws(CompressionError) {
        self.byteLimit = byteLimit
        inflate = try InflateState(.none)
    }

    /// Appends everything that can be read with `bytes`, the next of the body.
    ///
    /// - Returns: whether that was the end.
    /// - Throws: `CompressionError`; nothing more can be read then.
    @discardableResult
    package mutating func decode(
        _ bytes: Span<UInt8>,
        to output: inout [UInt8]
    ) throws(CompressionError) -> Bool {
        guard !bytes.isEmpty else { return isFinished }
        guard !isFinished else { throw .trailingBytes }
        let result =
            inflate?.decode(bytes, limit: byteLimit, to: &output)
            ?? brotli?.decode(bytes, limit: byteLimit, to: &output)
        isFinished = try result?.get() ?? false
        return isFinished
    }
}

/// Room that decoders ask for at a time.
let decodingStep = 16_384
