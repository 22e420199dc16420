import CZlib

/// zlib's inflate.
///
/// Owns the state: `init` creates it, `deinit` destroys it, nothing copies it. It stands at a place
/// of its own, because zlib keeps a pointer to it.
@safe
struct InflateState: ~Copyable {
    private let stream: UnsafeMutablePointer<z_stream>

    init(_ wrapper: DeflateEngine.Wrapper) throws(CompressionError) {
        let bits: Int32 =
            switch wrapper {
            case .none: -15
            case .gzip: 15 + 16
            case .zlib: 15
            }
        let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
        unsafe stream.initialize(to: z_stream())
        guard unsafe CZlib_open_inflate(stream, bits) == Z_OK else {
            unsafe stream.deallocate()
            throw .outOfMemory
        }
        unsafe self.stream = stream
    }

    deinit {
        unsafe inflateEnd(stream)
        unsafe stream.deallocate()
    }

    /// Appends what can be read.
    ///
    /// - Returns: whether the end was read.
    mutating func decode(
        _ bytes: Span<UInt8>,
        limit: Int,
        to output: inout [UInt8]
    ) -> Result<Bool, CompressionError> {
        precondition(bytes.count <= Int(UInt32.max), "zlib counts in 32 bits")
        let start = output.count
        return unsafe bytes.withUnsafeBufferPointer { bytes in
            // zlib only reads through `next_in`.
            unsafe stream.pointee.next_in = UnsafeMutablePointer(mutating: bytes.baseAddress)
            unsafe stream.pointee.avail_in = uInt(bytes.count)
            while true {
                let (outcome, isFull) = step(&output)
                guard output.count - start <= limit else { return .failure(.tooLong(limit: limit)) }
                switch outcome {
                case Z_STREAM_END:
                    return unsafe stream.pointee.avail_in == 0
                        ? .success(true) : .failure(.trailingBytes)
                case Z_OK where isFull: continue
                // Without room to fill or bytes to read, zlib reports a buffer error.
                case Z_OK, Z_BUF_ERROR: return .success(false)
                case Z_MEM_ERROR: return .failure(.outOfMemory)
                default: return .failure(.malformed)
                }
            }
        }
    }

    private func step(_ output: inout [UInt8]) -> (outcome: Int32, isFull: Bool) {
        var result: (Int32, Bool) = (Z_OK, false)
        output.append(addingCapacity: decodingStep) { span in
            unsafe span.withUnsafeMutableBufferPointer { bytes, count in
                unsafe stream.pointee.next_out = bytes.baseAddress.map { unsafe $0 + count }
                unsafe stream.pointee.avail_out = uInt(decodingStep)
                result.0 = unsafe inflate(stream, Z_SYNC_FLUSH)
                let rest = unsafe Int(stream.pointee.avail_out)
                count += decodingStep - rest
                result.1 = rest == 0
                unsafe stream.pointee.next_out = nil
            }
        }
        return result
    }
}
