import Reactor
import StreamBytes

/// What each gateway tells about itself, in `weir:gateway:<id>`, and which gateways there are, in
/// `weir:gateways`.
///
/// The sorted set holds each gateway's name with the time at which it last told something.
package actor GatewayDirectory {
    package struct Entry: Equatable, Sendable {
        package let id: String
        package let lastSeen: WallTime
        /// What it told; nil when that is too long ago.
        package let text: String?
    }

    /// After so long nothing is known of a silent gateway but its name.
    package static let lifetime = Duration.seconds(20)
    /// After so long a silent gateway is forgotten.
    package static let memory = Duration.seconds(7 * 86_400)
    /// The most gateways that are told of: those seen last.
    package static let limit = 1_000

    private nonisolated let executor: any StreamExecutor
    private let connection: RedisConnection
    private let timeout: Duration

    package nonisolated var unownedExecutor: UnownedSerialExecutor {
        unsafe executor.asUnownedSerialExecutor()
    }

    /// Makes a directory.
    ///
    /// - Parameters:
    ///   - connection: on the same reactor; nothing on it may block. The owner closes it.
    ///   - executor: the reactor.
    ///   - timeout: for each call, connecting included.
    package init(
        over connection: RedisConnection,
        on executor: any StreamExecutor,
        timeout: Duration = .seconds(2)
    ) {
        self.connection = connection
        self.executor = executor
        self.timeout = timeout
    }

    /// Tells something about a gateway, in place of what it told before.
    package func publish(_ text: String, of id: String, at now: WallTime) async throws(RedisError) {
        let forgotten = now.milliseconds - Self.memory.wholeMilliseconds
        let commands = [
            RedisCommand(
                "SET",
                MeterStreams.gatewayKey(id),
                text,
                "PX",
                String(Self.lifetime.wholeMilliseconds)
            ),
            RedisCommand("ZADD", MeterStreams.gatewaysKey, String(now.milliseconds), id),
            RedisCommand("ZREMRANGEBYSCORE", MeterStreams.gatewaysKey, "-inf", "\(forgotten)"),
        ]
        for reply in try await connection.send(commands, within: timeout) {
            if let refusal = reply.refusal { throw .refused(refusal) }
        }
    }

    /// Forgets a gateway that ends.
    package func forget(_ id: String) async throws(RedisError) {
        _ = try await connection.send(
            [
                RedisCommand("DEL", MeterStreams.gatewayKey(id)),
                RedisCommand("ZREM", MeterStreams.gatewaysKey, id),
            ],
            within: timeout
        )
    }

    /// The gateways that were seen last.
    package func entries() async throws(RedisError) -> [Entry] {
        let range = RedisCommand(
            "ZRANGE",
            MeterStreams.gatewaysKey,
            String(-Self.limit),
            "-1",
            "WITHSCORES"
        )
        let words = try await connection.send(range, within: timeout).elements.compactMap(\.text)
        let seen = stride(from: 0, to: words.count - 1, by: 2).map { place in
            (id: words[place], at: WallTime(milliseconds: Int64(words[place + 1]) ?? 0))
        }
        guard !seen.isEmpty else { return [] }
        let replies = try await connection.send(
            seen.map { RedisCommand("GET", MeterStreams.gatewayKey($0.id)) },
            within: timeout
        )
        return zip(seen, replies).map { gateway, reply in
            Entry(id: gateway.id, lastSeen: gateway.at, text: reply.text)
        }
    }
}
