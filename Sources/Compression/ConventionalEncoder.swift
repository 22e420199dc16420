/// A body with a compressor of its own, as zlib is used everywhere: for comparison.
package final class ConventionalEncoder: BodyEncoder {
    private var engine: DeflateEngine
    private var hasBegun = false

    /// - Parameters:
    ///   - form: gzip's or zlib's.
    ///   - level: 1 (fastest) to 9 (smallest).
    ///   - memoryLevel: 1 to 9, zlib's default is 8.
    /// - Throws: `CompressionError.outOfMemory`.
    package init(
        _ form: ParkedEncoder.Form,
        level: Int32 = 6,
        memoryLevel: Int32 = 8
    ) throws(CompressionError) {
        engine = try DeflateEngine(
            form == .gzip ? .gzip : .zlib,
            level: level,
            memoryLevel: memoryLevel
        )
    }

    package func encode(
        _ bytes: Span<UInt8>,
        eventCount: Int,
        isLast: Bool,
        with shared: inout SharedEncoders,
        to output: inout [UInt8]
    ) {
        guard !bytes.isEmpty || isLast else { return }
        engine.compress(bytes, isLast ? .finish : .sync, to: &output)
    }

    package func close(with shared: inout SharedEncoders) {}
}
