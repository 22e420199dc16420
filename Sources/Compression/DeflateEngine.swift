import CZlib

/// zlib's deflate.
///
/// Owns the compressor's state: `init` creates it, `deinit` destroys it, nothing copies it. The
/// state stands at a place of its own, because zlib keeps a pointer to it.
@safe
struct DeflateEngine: ~Copyable {
    /// What surrounds the deflated data.
    enum Wrapper: Sendable {
        case none, gzip, zlib
    }

    enum Flush: Sendable {
        /// What was given so far can be read, and more follows.
        case sync
        /// That was all.
        case finish
    }

    /// The largest window of the format: 32 KiB.
    private static let windowBits: Int32 = 15

    private let stream: UnsafeMutablePointer<z_stream>

    /// Reserves the state.
    ///
    /// - Parameters:
    ///   - wrapper: what surrounds the data.
    ///   - level: 1 (fastest) to 9 (smallest).
    ///   - memoryLevel: 1 to 9; of two to the power of it depend the tables that `reset` clears.
    /// - Throws: `CompressionError.outOfMemory`.
    init(_ wrapper: Wrapper, level: Int32, memoryLevel: Int32) throws(CompressionError) {
        let bits =
            switch wrapper {
            case .none: -Self.windowBits
            case .gzip: Self.windowBits + 16
            case .zlib: Self.windowBits
            }
        let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        unsafe stream.initialize(to: z_stream())
        guard unsafe CZlib_open_deflate(stream, level, bits, memoryLevel) == Z_OK else {
            unsafe stream.deallocate()
            throw .outOfMemory
        }
        unsafe self.stream = stream
    }

    deinit {
        unsafe deflateEnd(stream)
        unsafe stream.deallocate()
    }

    /// Forgets everything; the next bytes begin a stream, or go on with one after `recall`.
    mutating func reset() {
        let outcome = unsafe deflateReset(stream)
        precondition(outcome == Z_OK, "a compressor can always be reset")
    }

    /// Lets the next bytes refer to what the decoder has read last; call right after `reset`.
    mutating func recall(_ history: Span<UInt8>) {
        let outcome = unsafe history.withUnsafeBufferPointer { bytes in
            unsafe deflateSetDictionary(stream, bytes.baseAddress, uInt(bytes.count))
        }
        precondition(outcome == Z_OK, "a raw compressor takes a history after its reset")
    }

    /// Appends the compressed form of `input` to `output`.
    mutating func compress(_ input: Span<UInt8>, _ flush: Flush, to output: inout [UInt8]) {
        precondition(input.count <= Int(UInt32.max), "zlib counts in 32 bits")
        unsafe input.withUnsafeBufferPointer { bytes in
            // zlib only reads through `next_in`.
            unsafe stream.pointee.next_in = UnsafeMutablePointer(mutating: bytes.baseAddress)
            unsafe stream.pointee.avail_in = uInt(bytes.count)
            // Short of room, zlib would repeat the marker of a flush: leave more than that takes.
            var room = 64 + bytes.count / 4
            while !run(flush, room, &output) { room = max(room, 4_096) }
            unsafe stream.pointee.next_in = nil
        }
    }

    /// Compresses until the input is used up or `room` is full.
    ///
    /// - Returns: whether all is out.
    private func run(_ flush: Flush, _ room: Int, _ output: inout [UInt8]) -> Bool {
        var isDone = false
        output.append(addingCapacity: room) { span in
            unsafe span.withUnsafeMutableBufferPointer { bytes, count in
                unsafe stream.pointee.next_out = bytes.baseAddress.map { unsafe $0 + count }
                unsafe stream.pointee.avail_out = uInt(room)
                let outcome = unsafe deflate(stream, flush.word)
                precondition(
                    [Z_OK, Z_BUF_ERROR, Z_STREAM_END].contains(outcome),
                    "compressing fails only when it is misused"
                )
                let rest = unsafe Int(stream.pointee.avail_out)
                count += room - rest
                isDone = rest > 0 && (flush == .sync || outcome == Z_STREAM_END)
                unsafe stream.pointee.next_out = nil
            }
        }
        return isDone
    }
}

extension DeflateEngine.Flush {
    fileprivate var word: Int32 {
        switch self {
        case .sync: Z_SYNC_FLUSH
        case .finish: Z_FINISH
        }
    }
}
