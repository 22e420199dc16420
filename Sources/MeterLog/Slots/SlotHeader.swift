import Metering

/// The first bytes of a file of slots: a mark with the layout's version, whose it is, how many slots
/// there are, and a checksum.
struct SlotHeader: Equatable {
    static let byteCount = 64
    private static let mark = Array("WEIRSLT1".utf8)

    let gateway: String
    let slotCount: Int

    /// `mark`, a checksum of the rest, the number of slots, the sizes of a slot and of its overflow,
    /// the gateway's name with its length before it.
    var bytes: [UInt8] {
        var rest: [UInt8] = []
        rest.append(littleEndian: UInt32(slotCount))
        rest.append(littleEndian: UInt32(SlotLayout.slotByteCount))
        rest.append(littleEndian: UInt32(SlotLayout.overflowByteCount))
        let name = Array(gateway.utf8.prefix(GatewayRun.nameByteLimit))
        rest.append(UInt8(name.count))
        rest += name
        rest += [UInt8](repeating: 0, count: Self.byteCount - 12 - rest.count)
        return Self.mark + rest.checksumBytes + rest
    }

    init(gateway: String, slotCount: Int) {
        self.gateway = gateway
        self.slotCount = slotCount
    }

    /// Nil when the file is of another form, or shorter than it says.
    init?(_ bytes: [UInt8]) {
        guard bytes.count >= SlotLayout.headerByteCount, bytes.starts(with: Self.mark),
            bytes.littleEndian(UInt32.self, at: 8)
                == CRC32C.checksum(bytes, 12..<Self.byteCount),
            bytes.littleEndian(UInt32.self, at: 16) == UInt32(SlotLayout.slotByteCount),
            bytes.littleEndian(UInt32.self, at: 20) == UInt32(SlotLayout.overflowByteCount)
        else { return nil }
        slotCount = Int(bytes.littleEndian(UInt32.self, at: 12))
        guard bytes.count >= SlotLayout.fileByteCount(slotCount: slotCount) else { return nil }
        let length = Int(bytes[24])
        guard length <= GatewayRun.nameByteLimit else { return nil }
        gateway = String(decoding: bytes[25..<(25 + length)], as: UTF8.self)
    }
}

extension [UInt8] {
    fileprivate var checksumBytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(littleEndian: CRC32C.checksum(self, indices))
        return bytes
    }
}
