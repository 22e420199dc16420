/// One record's place in a segment: a mark, the payload's length, a checksum of both, the payload.
///
/// The mark is what a reader looks for behind damaged bytes.
enum Frame {
    static let headerByteCount = 12
    /// The longest payload; a length beyond it is damage.
    static let payloadByteLimit = 65_536

    private static let mark: [UInt8] = [0xF5, 0x57, 0x52, 0x0A]

    /// Appends a frame around what `write` appends.
    static func append(to bytes: inout [UInt8], _ write: (inout [UInt8]) -> Void) {
        let start = bytes.count
        bytes.append(contentsOf: mark)
        bytes.append(contentsOf: [0, 0, 0, 0, 0, 0, 0, 0])
        write(&bytes)
        let length = bytes.count - start - headerByteCount
        precondition(length <= payloadByteLimit, "a record is shorter than a frame may be")
        bytes.set(littleEndian: UInt32(length), at: start + 4)
        bytes.set(littleEndian: checksum(in: bytes, at: start, length: length), at: start + 8)
    }

    private static func checksum(in bytes: [UInt8], at start: Int, length: Int) -> UInt32 {
        let ofLength = CRC32C.checksum(bytes, (start + 4)..<(start + 8))
        let payload = start + headerByteCount
        return CRC32C.checksum(bytes, payload..<(payload + length), seed: ofLength)
    }

    /// What stands at a place.
    enum Reading: Equatable {
        /// A frame, with its payload.
        case whole(payload: Range<Int>)
        /// The beginning of what may be a frame; the rest would lie behind the bytes' end.
        case cut
        case damaged
    }

    static func read(_ bytes: [UInt8], at start: Int) -> Reading {
        let rest = bytes.count - start
        let marked = min(rest, mark.count)
        guard bytes[start..<(start + marked)].elementsEqual(mark[..<marked]) else {
            return .damaged
        }
        guard rest >= headerByteCount else { return .cut }
        let length = Int(bytes.littleEndian(UInt32.self, at: start + 4))
        guard length <= payloadByteLimit else { return .damaged }
        guard rest >= headerByteCount + length else { return .cut }
        let found = bytes.littleEndian(UInt32.self, at: start + 8)
        guard found == checksum(in: bytes, at: start, length: length) else { return .damaged }
        let payload = start + headerByteCount
        return .whole(payload: payload..<(payload + length))
    }

    /// The first whole frame at or after a place; nil when there is none.
    static func firstWhole(in bytes: [UInt8], from start: Int) -> Int? {
        var place = min(start, bytes.count)
        while let candidate = bytes[place...].firstIndex(of: mark[0]) {
            if case .whole = read(bytes, at: candidate) { return candidate }
            place = candidate + 1
        }
        return nil
    }
}
