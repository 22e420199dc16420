import HTTPWire

/// What the coded bodies of one thread share: compressors, and the memory of those that brotli
/// needs for each body.
@safe
package struct SharedEncoders: ~Copyable {
    /// Whether bytes shall be compressed faster and a little worse.
    package var isHurried = false
    /// Bytes that bodies may hold in all beyond their first kilobyte.
    package var budgetLimit = 0

    let budget: CompressionBudget
    let brotliMemory: BrotliMemory
    private let triesTerse: Bool
    private var terse = TerseDeflater()
    private var small: DeflateEngine
    private var fast: DeflateEngine

    /// Tables of 2 KiB to be cleared for each write; larger ones find no more in so short a
    /// history.
    private static let memoryLevel: Int32 = 3

    /// - Parameters:
    ///   - budget: what bodies take from beyond their first kilobyte.
    ///   - level: of zlib, 1 to 9, where nothing hurries. At 8 it looks at every place of the
    ///     history, which costs nothing more because that is short.
    ///   - triesTerse: whether zlib gets only what `TerseDeflater` leaves to it.
    /// - Throws: `CompressionError.outOfMemory`.
    package init(
        budget: CompressionBudget,
        level: Int32 = 8,
        triesTerse: Bool = true
    ) throws(CompressionError) {
        let small = try DeflateEngine(.none, level: level, memoryLevel: Self.memoryLevel)
        let fast = try DeflateEngine(.none, level: 1, memoryLevel: Self.memoryLevel)
        self.budget = budget
        self.triesTerse = triesTerse
        brotliMemory = BrotliMemory()
        self.small = small
        self.fast = fast
    }

    /// Opens a body.
    ///
    /// - Returns: nil when the coding needs more memory than the budget has left.
    package mutating func open(_ coding: ContentCoding) -> (any BodyEncoder)? {
        switch coding {
        case .gzip: ParkedEncoder(.gzip)
        case .deflate: ParkedEncoder(.zlib)
        case .brotli: BrotliEncoder.open(with: &self)
        }
    }

    /// As `encoder.encode`.
    package mutating func encode(
        _ bytes: Span<UInt8>,
        eventCount: Int,
        isLast: Bool,
        by encoder: any BodyEncoder,
        to output: inout [UInt8]
    ) throws(CompressionError) {
        try encoder.encode(
            bytes,
            eventCount: eventCount,
            isLast: isLast,
            with: &self,
            to: &output
        )
    }

    /// As `encoder.close`.
    package mutating func close(_ encoder: any BodyEncoder) { encoder.close(with: &self) }

    /// Compresses a piece of bytes for itself (raw deflate, RFC 1951).
    package mutating func compressChunk(_ bytes: Span<UInt8>, to output: inout [UInt8]) {
        deflate(bytes, after: Span(), isLast: true, isTerse: false, to: &output)
    }

    /// The most that brotli has asked for, in bytes, for all its encoders together.
    package var brotliPeakByteCount: Int { brotliMemory.peakByteCount }

    /// Compresses bytes whose decoder has read `history` last.
    ///
    /// - Parameters:
    ///   - bytes: what follows.
    ///   - history: `ParkedEncoder.lastHistoryLimit` bytes at most.
    ///   - isLast: whether the data ends with them.
    ///   - isTerse: whether the result is expected to be short.
    ///   - output: what goes out.
    /// - Returns: whether the result is short.
    @discardableResult
    mutating func deflate(
        _ bytes: Span<UInt8>,
        after history: Span<UInt8>,
        isLast: Bool,
        isTerse: Bool,
        to output: inout [UInt8]
    ) -> Bool {
        if isTerse, triesTerse, bytes.count <= TerseDeflater.writeLimit,
            terse.compress(bytes, after: history, isLast: isLast, to: &output)
        {
            return true
        }
        let start = output.count
        let flush: DeflateEngine.Flush = isLast ? .finish : .sync
        if isHurried {
            Self.deflate(bytes, after: history, flush, by: &fast, to: &output)
        } else {
            Self.deflate(bytes, after: history, flush, by: &small, to: &output)
        }
        return output.count - start <= TerseDeflater.resultLimit
    }

    private static func deflate(
        _ bytes: Span<UInt8>,
        after history: Span<UInt8>,
        _ flush: DeflateEngine.Flush,
        by engine: inout DeflateEngine,
        to output: inout [UInt8]
    ) {
        engine.reset()
        if !history.isEmpty { engine.recall(history) }
        engine.compress(bytes, flush, to: &output)
    }
}
