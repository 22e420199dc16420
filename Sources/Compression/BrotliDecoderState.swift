import CBrotli

/// A brotli stream that is read.
///
/// Owns the decoder's state: `init` creates it, `deinit` destroys it, nothing copies it.
@safe
struct BrotliDecoderState: ~Copyable {
    private let state: OpaquePointer

    init() throws(CompressionError) {
        guard let state = unsafe BrotliDecoderCreateInstance(nil, nil, nil) else {
            throw .outOfMemory
        }
        unsafe self.state = state
    }

    deinit { unsafe BrotliDecoderDestroyInstance(state) }

    /// Appends what can be read.
    ///
    /// - Returns: whether the end was read.
    mutating func decode(
        _ bytes: Span<UInt8>,
        limit: Int,
        to output: inout [UInt8]
    ) -> Result<Bool, CompressionError> {
        let start = output.count
        return unsafe bytes.withUnsafeBufferPointer { bytes in
            var next = bytes.baseAddress
            var count = bytes.count
            while true {
                var room = 0
                let outcome = unsafe BrotliDecoderDecompressStream(
                    state,
                    &count,
                    &next,
                    &room,
                    nil,
                    nil
                )
                takeOutput(into: &output)
                guard output.count - start <= limit else { return .failure(.tooLong(limit: limit)) }
                switch outcome {
                case BROTLI_DECODER_RESULT_SUCCESS:
                    return count == 0 ? .success(true) : .failure(.trailingBytes)
                case BROTLI_DECODER_RESULT_NEEDS_MORE_OUTPUT: continue
                case BROTLI_DECODER_RESULT_NEEDS_MORE_INPUT: return .success(false)
                default: return .failure(.malformed)
                }
            }
        }
    }

    private func takeOutput(into output: inout [UInt8]) {
        var count = 0
        while let bytes = unsafe BrotliDecoderTakeOutput(state, &count), count > 0 {
            unsafe output.append(contentsOf: UnsafeBufferPointer(start: bytes, count: count))
            count = 0
        }
    }
}
