/// The form of every identifier in a meter record: 1 to 64 of `A-Z a-z 0-9 . _ : -`.
package enum MeterIdentifier {
    /// The longest identifier, in bytes.
    package static let byteLimit = 64

    package static func isValid(_ text: String) -> Bool {
        let bytes = text.utf8
        return (1...byteLimit).contains(bytes.count) && bytes.allSatisfy(isAllowed)
    }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "."), UInt8(ascii: "_"),
            UInt8(ascii: ":"), UInt8(ascii: "-"):
            true
        default: false
        }
    }
}

/// Gives each record of one run of a gateway its number and its id, once.
///
/// Sequence numbers start at 1 and have no gaps: a hole seen later names a lost record.
package struct RecordNumbering: Sendable {
    /// The longest name of a gateway, in bytes, so that every record id stays within 64.
    package static let gatewayByteLimit = 24

    package let gateway: String
    /// Which run of the gateway this is; never used before by this gateway.
    package let epoch: Int64
    /// The number that the last record got; 0 before the first.
    package private(set) var last: Int64 = 0

    /// Nil when `gateway` is no identifier of at most `gatewayByteLimit` bytes, or `epoch` is
    /// negative.
    package init?(gateway: String, epoch: Int64) {
        guard MeterIdentifier.isValid(gateway), gateway.utf8.count <= Self.gatewayByteLimit,
            epoch >= 0
        else { return nil }
        self.gateway = gateway
        self.epoch = epoch
    }

    /// Writes gateway, epoch, sequence and `record_id` into the record.
    package mutating func number(_ record: inout UsageRecord) {
        last += 1
        record.gateway = gateway
        record.epoch = epoch
        record.sequence = last
        record.recordID = "\(gateway):\(epoch):\(last)"
    }
}
