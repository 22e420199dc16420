import CZlib

/// The checks that stand at the end of gzip's and zlib's forms.
enum Checksum {
    /// Returns the CRC-32 of what had `checksum` and of `bytes` behind it; that of nothing is 0.
    static func crc32(_ checksum: UInt32, _ bytes: Span<UInt8>) -> UInt32 {
        // Asked of no place at all, zlib answers with the checksum of nothing.
        guard !bytes.isEmpty else { return checksum }
        return unsafe bytes.withUnsafeBufferPointer { bytes in
            let sum = unsafe crc32_z(uLong(checksum), bytes.baseAddress, bytes.count)
            return UInt32(truncatingIfNeeded: sum)
        }
    }

    /// Returns the Adler-32 of what had `checksum` and of `bytes` behind it; that of nothing is 1.
    static func adler32(_ checksum: UInt32, _ bytes: Span<UInt8>) -> UInt32 {
        guard !bytes.isEmpty else { return checksum }
        return unsafe bytes.withUnsafeBufferPointer { bytes in
            let sum = unsafe adler32_z(uLong(checksum), bytes.baseAddress, bytes.count)
            return UInt32(truncatingIfNeeded: sum)
        }
    }
}
