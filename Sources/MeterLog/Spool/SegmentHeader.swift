import Metering

/// The first bytes of a segment.
///
/// Records say themselves of which run they are; the header keeps the run's number when all records
/// are gone, and tells which number comes first, so that a hole at the beginning shows.
struct SegmentHeader: Equatable {
    static let byteCount = 72
    private static let mark = Array("WEIRSPL1".utf8)
    private static let gatewayRoom = GatewayRun.nameByteLimit

    let run: GatewayRun
    let firstSequence: Int64

    init(run: GatewayRun, firstSequence: Int64) {
        self.run = run
        self.firstSequence = firstSequence
    }

    /// `mark`, a checksum of the rest, four zero bytes, epoch, first sequence, the gateway's name with
    /// its length before it.
    var bytes: [UInt8] {
        var rest: [UInt8] = [0, 0, 0, 0]
        rest.append(littleEndian: run.epoch)
        rest.append(littleEndian: firstSequence)
        let name = Array(run.gateway.utf8.prefix(Self.gatewayRoom))
        rest.append(UInt8(name.count))
        rest += name
        rest += [UInt8](repeating: 0, count: Self.byteCount - 12 - rest.count)
        var bytes = Self.mark
        bytes.append(littleEndian: CRC32C.checksum(rest, rest.indices))
        return bytes + rest
    }

    /// Nil when `bytes` do not begin with a header.
    init?(_ bytes: [UInt8]) {
        guard bytes.count >= Self.byteCount, bytes.starts(with: Self.mark) else { return nil }
        let checksum = CRC32C.checksum(bytes, 12..<Self.byteCount)
        guard bytes.littleEndian(UInt32.self, at: 8) == checksum else { return nil }
        let length = Int(bytes[32])
        guard length <= Self.gatewayRoom else { return nil }
        let name = String(decoding: bytes[33..<(33 + length)], as: UTF8.self)
        run = GatewayRun(gateway: name, epoch: bytes.littleEndian(Int64.self, at: 16))
        firstSequence = bytes.littleEndian(Int64.self, at: 24)
    }
}
