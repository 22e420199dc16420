/// A body in the form of gzip (RFC 1952) or of zlib (RFC 1950, which HTTP calls deflate), without a
/// compressor of its own.
///
/// Between two writes it is parked: only the end of what the decoder has read, a checksum and a
/// length are kept. A write gives them to the compressor of the thread, whose references to bytes
/// before the write then mean the same to the decoder, so that the result is one ordinary stream.
package final class ParkedEncoder: BodyEncoder {
    package enum Form: Sendable {
        case gzip, zlib
    }

    /// Bytes of history that every body may keep.
    package static let firstHistoryLimit = 768
    /// Bytes of history that bodies of large events may keep.
    package static let lastHistoryLimit = 4_096

    /// The last bytes of the body.
    private var history: [UInt8] = []
    private var byteCount: UInt64 = 0
    private var checksum: UInt32
    private var eventCount: UInt32 = 0
    private var historyLimit: UInt16
    /// Of the history's limit, what was taken from the budget.
    private var reservedByteCount: UInt16 = 0
    private let form: Form
    private var hasBegun = false
    /// Whether the last write came out short, so that the next is expected to.
    private var isTerse = true

    /// - Parameters:
    ///   - form: gzip's or zlib's.
    ///   - historyLimit: bytes of history kept to begin with, `lastHistoryLimit` at most.
    package init(_ form: Form, historyLimit: Int = ParkedEncoder.firstHistoryLimit) {
        precondition(historyLimit <= Self.lastHistoryLimit, "compressors have room for so much")
        self.form = form
        self.historyLimit = UInt16(historyLimit)
        checksum = form == .gzip ? 0 : 1
    }

    package func encode(
        _ bytes: Span<UInt8>,
        eventCount: Int,
        isLast: Bool,
        with shared: inout SharedEncoders,
        to output: inout [UInt8]
    ) {
        guard !bytes.isEmpty || isLast else { return }
        if !hasBegun { appendHead(to: &output) }
        hasBegun = true
        isTerse = shared.deflate(
            bytes,
            after: history.span,
            isLast: isLast,
            isTerse: isTerse,
            to: &output
        )
        count(bytes)
        if isLast { return appendEnd(to: &output) }
        self.eventCount &+= UInt32(truncatingIfNeeded: eventCount)
        growIfWorthwhile(&shared)
        remember(bytes)
    }

    package func close(with shared: inout SharedEncoders) {
        shared.budget.release(Int(reservedByteCount))
        reservedByteCount = 0
        history = []
    }

    private func count(_ bytes: Span<UInt8>) {
        byteCount += UInt64(bytes.count)
        switch form {
        case .gzip: checksum = Checksum.crc32(checksum, bytes)
        case .zlib: checksum = Checksum.adler32(checksum, bytes)
        }
    }

    /// Little matches unless the history holds the event before: it becomes longer where the mean
    /// event is more than half of it.
    private func growIfWorthwhile(_ shared: inout SharedEncoders) {
        let limit = Int(historyLimit)
        guard limit < Self.lastHistoryLimit, eventCount >= 4,
            byteCount > UInt64(eventCount) * UInt64(limit / 2)
        else { return }
        let grown = min(2 * limit, Self.lastHistoryLimit)
        guard shared.budget.reserve(grown - limit, limit: shared.budgetLimit) else { return }
        reservedByteCount += UInt16(grown - limit)
        historyLimit = UInt16(grown)
    }

    private func remember(_ bytes: Span<UInt8>) {
        let limit = Int(historyLimit)
        history.reserveCapacity(limit)
        if bytes.count >= limit {
            history.removeAll(keepingCapacity: true)
            history.append(bytes.extracting(last: limit))
        } else {
            let excess = history.count + bytes.count - limit
            if excess > 0 { history.removeFirst(excess) }
            history.append(bytes)
        }
    }

    private func appendHead(to output: inout [UInt8]) {
        switch form {
        case .gzip: output.append(contentsOf: [0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0xFF])
        case .zlib: output.append(contentsOf: [0x78, 0x9C])
        }
    }

    private func appendEnd(to output: inout [UInt8]) {
        switch form {
        case .gzip:
            let length = UInt32(truncatingIfNeeded: byteCount)
            for shift in [0, 8, 16, 24] { output.append(UInt8(checksum >> shift & 0xFF)) }
            for shift in [0, 8, 16, 24] { output.append(UInt8(length >> shift & 0xFF)) }
        case .zlib:
            for shift in [24, 16, 8, 0] { output.append(UInt8(checksum >> shift & 0xFF)) }
        }
    }
}
