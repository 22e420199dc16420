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
