/// Finds where DATA begins in what a client sends.
///
/// nghttp2 passes over bodies of streams that are over, where RFC 9113, section 5.1, wants the
/// connection to end.
struct FrameScanner {
    /// Bytes to pass over: of the preface, or of a payload.
    private var skippedCount = HTTP2Session.preface.count
    private var headerCount = 0
    private var length = 0
    private var type: UInt8 = 0
    private var stream: UInt32 = 0

    /// Reads on to the end of the next header of a DATA frame.
    ///
    /// - Returns: its stream; nil if the input is used up before.
    mutating func nextData(in bytes: Span<UInt8>, from offset: inout Int) -> HTTP2StreamID? {
        while offset < bytes.count {
            guard skippedCount == 0 else {
                let count = min(skippedCount, bytes.count - offset)
                skippedCount -= count
                offset += count
                continue
            }
            take(bytes[offset])
            offset += 1
            guard headerCount == HTTP2Session.frameHeaderByteCount else { continue }
            let found = type == 0 ? HTTP2StreamID(stream & 0x7FFF_FFFF) : nil
            skippedCount = length
            (headerCount, length, stream) = (0, 0, 0)
            if let found { return found }
        }
        return nil
    }

    private mutating func take(_ byte: UInt8) {
        switch headerCount {
        case 0...2: length = length << 8 | Int(byte)
        case 3: type = byte
        case 4: break
        default: stream = stream << 8 | UInt32(byte)
        }
        headerCount += 1
    }
}
