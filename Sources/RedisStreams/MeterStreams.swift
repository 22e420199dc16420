import Metering

/// The names of what metering keeps in Redis.
package struct MeterStreams: Sendable, Equatable {
    /// How many streams records are spread over, by account; at least 1.
    package let partitionCount: Int

    package init(partitionCount: Int) {
        precondition(partitionCount > 0, "there is at least one partition")
        self.partitionCount = partitionCount
    }

    /// The partition of an account; never changes for the same count.
    ///
    /// Source: FNV-1a, 64 bits, of the account's bytes.
    package func partition(of accountID: String) -> Int {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in accountID.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0100_0000_01B3 }
        return Int(hash % UInt64(partitionCount))
    }

    package static func key(_ partition: Int) -> String { "weir:meter:\(partition)" }
    package static func deadKey(_ partition: Int) -> String { "weir:dead:\(partition)" }
    package static let committedKey = "weir:committed"
    /// Which gateways there are, by the time at which they were last seen.
    package static let gatewaysKey = "weir:gateways"
    /// What a gateway tells about itself.
    package static func gatewayKey(_ id: String) -> String { "weir:gateway:\(id)" }
    /// Who trims.
    package static let keeperKey = "weir:keeper"

    static func adding(
        _ fields: [(name: String, value: String)],
        to partition: Int
    ) -> RedisCommand {
        var words = ["XADD", key(partition), "*"]
        words.reserveCapacity(3 + 2 * fields.count)
        for field in fields {
            words.append(field.name)
            words.append(field.value)
        }
        return RedisCommand(words)
    }
}
