import CDeflate

/// The checks that stand at the end of gzip's and zlib's forms, by libdeflate, which has the
/// processor multiply without carry where it can; zlib looks bytes up in tables.
enum Checksum {
    /// Returns the CRC-32 of what had `checksum` and of `bytes` behind it; that of nothing is 0.
    static func crc32(_ checksum: UInt32, _ bytes: Span<UInt8>) -> UInt32 {
        // Asked of no place at all, libdeflate answers with the checksum of nothing.
        guard !bytes.isEmpty else { return checksum }
        return unsafe bytes.withUnsafeBufferPointer { bytes in
            unsafe libdeflate_crc32(checksum, bytes.baseAddress, bytes.count)
        }
    }

    /// Returns the Adler-32 of what had `checksum` and of `bytes` behind it; that of nothing is 1.
    static func adler32(_ checksum: UInt32, _ bytes: Span<UInt8>) -> UInt32 {
        guard !bytes.isEmpty else { return checksum }
        return unsafe bytes.withUnsafeBufferPointer { bytes in
            unsafe libdeflate_adler32(checksum, bytes.baseAddress, bytes.count)
        }
    }
}
