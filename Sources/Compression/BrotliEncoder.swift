import CBrotli

/// A body in brotli's form (RFC 7932), with an encoder of its own within the budget.
package final class BrotliEncoder: BodyEncoder {
    private var state: BrotliState?

    /// Writes are coded in pieces, because the memory that brotli asks for grows with them.
    private static let pieceByteCount = 4_096

    private init(_ state: consuming BrotliState) { self.state = consume state }

    deinit {
        let isClosed = state == nil
        assert(isClosed, "a body is closed before it goes")
    }

    /// Opens a body.
    ///
    /// - Parameter shared: of the thread on which it is written.
    /// - Returns: nil when the budget is used up, or memory lacks.
    package static func open(with shared: inout SharedEncoders) -> BrotliEncoder? {
        let memory = shared.brotliMemory
        guard memory.takePlace(shared.budget, limit: shared.budgetLimit) else { return nil }
        guard let state = BrotliState(memory) else {
            memory.returnPlace(shared.budget, limit: shared.budgetLimit)
            return nil
        }
        return BrotliEncoder(state)
    }

    package func encode(
        _ bytes: Span<UInt8>,
        eventCount: Int,
        isLast: Bool,
        with shared: inout SharedEncoders,
        to output: inout [UInt8]
    ) throws(CompressionError) {
        guard !bytes.isEmpty || isLast else { return }
        var start = 0
        repeat {
            let end = min(start + Self.pieceByteCount, bytes.count)
            let finishes = isLast && end == bytes.count
            let isCoded = state?.encode(bytes.extracting(start..<end), finishes, to: &output)
            guard isCoded == true else { throw .outOfMemory }
            start = end
        } while start < bytes.count
    }

    package func close(with shared: inout SharedEncoders) {
        guard state != nil else { return }
        state = nil
        shared.brotliMemory.returnPlace(shared.budget, limit: shared.budgetLimit)
    }
}

/// An open brotli stream.
///
/// Owns the encoder's state: `init` creates it, `deinit` destroys it, nothing copies it.
@safe
private struct BrotliState: ~Copyable {
    private let state: OpaquePointer
    /// Outlives the state, which keeps a pointer to it.
    private let memory: BrotliMemory

    /// Lower qualities keep little history over a flush, higher ones are no smaller with one.
    private static let quality: UInt32 = 5
    /// A window of 64 KiB; from 2^18 on the tables grow to twice the size.
    private static let windowBits: UInt32 = 16

    /// Opens a stream; nil when memory lacks.
    init?(_ memory: BrotliMemory) {
        let opened = unsafe BrotliEncoderCreateInstance(
            { owner, size in
                guard let owner = unsafe owner else { return nil }
                return unsafe Unmanaged<BrotliMemory>.fromOpaque(owner)
                    .takeUnretainedValue().allocate(size)
            },
            { owner, address in
                guard let owner = unsafe owner, let address = unsafe address else { return }
                unsafe Unmanaged<BrotliMemory>.fromOpaque(owner)
                    .takeUnretainedValue().release(address)
            },
            Unmanaged.passUnretained(memory).toOpaque()
        )
        guard let state = unsafe opened else { return nil }
        unsafe self.state = state
        self.memory = memory
        unsafe BrotliEncoderSetParameter(state, BROTLI_PARAM_QUALITY, Self.quality)
        unsafe BrotliEncoderSetParameter(state, BROTLI_PARAM_LGWIN, Self.windowBits)
    }

    deinit { unsafe BrotliEncoderDestroyInstance(state) }

    /// Appends the coded form of `bytes`.
    ///
    /// - Returns: false when memory lacks.
    func encode(_ bytes: Span<UInt8>, _ finishes: Bool, to output: inout [UInt8]) -> Bool {
        let operation = finishes ? BROTLI_OPERATION_FINISH : BROTLI_OPERATION_FLUSH
        return unsafe bytes.withUnsafeBufferPointer { bytes in
            var next = bytes.baseAddress
            var count = bytes.count
            var room = 0
            repeat {
                guard
                    unsafe BrotliEncoderCompressStream(
                        state,
                        operation,
                        &count,
                        &next,
                        &room,
                        nil,
                        nil
                    ) != BROTLI_FALSE
                else { return false }
                takeOutput(into: &output)
            } while unsafe count > 0 || BrotliEncoderHasMoreOutput(state) != BROTLI_FALSE
            return true
        }
    }

    private func takeOutput(into output: inout [UInt8]) {
        var count = 0
        while let bytes = unsafe BrotliEncoderTakeOutput(state, &count), count > 0 {
            unsafe output.append(contentsOf: UnsafeBufferPointer(start: bytes, count: count))
            count = 0
        }
    }
}
