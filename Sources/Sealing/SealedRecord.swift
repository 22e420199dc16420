import Cryptography
import StreamBytes

/// The form of one sealed event.
///
///     payload     epoch (4 bytes) ‖ ciphertext ‖ tag (16 bytes)
///     nonce       0 (4 bytes) ‖ sequence (8 bytes)
///     associated  length of the stream's id (4 bytes) ‖ id ‖ sequence (8) ‖ epoch (4) ‖ event name
///     text        content ‖ type (1 byte, not 0) ‖ any number of 0
///
/// Numbers are big-endian. A sequence stands once in an attachment, and an attachment has keys of
/// its own: so no nonce repeats under a key.
enum SealedRecord {
    /// What stands before the padding.
    enum ContentType: UInt8 {
        case plain = 1
        case deflated = 2
    }

    static let epochByteCount = 4
    /// The shortest payload: no content, its type, and the tag.
    static let byteLimit = epochByteCount + 1 + AEADAlgorithm.tagByteCount

    static func nonce(_ sequence: UInt64) -> [12 of UInt8] {
        var nonce = [12 of UInt8](repeating: 0)
        for index in 0..<8 {
            nonce[4 + index] = UInt8(truncatingIfNeeded: sequence >> (8 * UInt64(7 - index)))
        }
        return nonce
    }
}

extension [UInt8] {
    /// Appends the associated bytes of an event, all but its name, which comes last.
    mutating func append(associatedWith stream: String, sequence: UInt64, epoch: UInt32) {
        append(lengthPrefixed: stream)
        append(bigEndian: sequence)
        append(bigEndian: epoch)
    }
}
