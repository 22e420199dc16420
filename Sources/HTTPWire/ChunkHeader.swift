/// The line in front of a chunk, written by hand into room that was left for it.
package enum ChunkHeader {
    /// The room to leave, in bytes: eight digits and a line end.
    package static let room = 10

    /// The last chunk with an empty trailer section.
    package static let last: [UInt8] = Array("0\r\n\r\n".utf8)

    /// Writes the header so that it ends where the data begins.
    ///
    /// - Parameters:
    ///   - size: of the data in bytes, from 1 to 4,294,967,295.
    ///   - buffer: holds `room` bytes to write on in front of `dataStart`.
    ///   - dataStart: where the data begins.
    /// - Returns: where the header begins.
    package static func write(_ size: Int, into buffer: inout [UInt8], before dataStart: Int) -> Int
    {
        precondition(size > 0 && size <= UInt32.max, "a chunk is neither empty nor endless")
        buffer[dataStart - 1] = .lineFeed
        buffer[dataStart - 2] = .carriageReturn
        var index = dataStart - 2
        var rest = size
        while rest > 0 {
            index -= 1
            let digit = UInt8(truncatingIfNeeded: rest & 0xF)
            buffer[index] = digit < 10 ? 0x30 + digit : 0x57 + digit
            rest >>= 4
        }
        return index
    }
}
