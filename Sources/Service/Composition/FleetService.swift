import Gateway
import Reactor
import RedisStreams
import StreamBytes

/// Tells the other gateways what this one does, every few seconds, and asks what they do.
final class FleetService: GatewayFleet {
    static let pause = Duration.seconds(5)

    let ownID: String
    private let connection: RedisConnection
    private let directory: GatewayDirectory

    /// - Parameters:
    ///   - redis: the server.
    ///   - resolver: finds its address.
    ///   - gateway: names this gateway.
    ///   - executor: the reactor of the connection.
    init(redis: RedisURL, resolver: Resolver, gateway: String, on executor: any StreamExecutor) {
        ownID = gateway
        connection = RedisConnection(to: redis, on: executor, resolver: resolver.firstAddress)
        directory = GatewayDirectory(over: connection, on: executor)
    }

    /// Tells, until the task is cancelled.
    ///
    /// - Parameter figures: what there is to tell.
    func run(_ figures: @Sendable () async -> GatewayFigures) async {
        while !Task.isCancelled {
            let text = String(decoding: await figures().json, as: UTF8.self)
            // Others see by the silence that it does not work; so does the connection's count.
            try? await directory.publish(text, of: ownID, at: WallTime.now)
            try? await Task.sleep(for: Self.pause)
        }
    }

    func members() async throws -> [FleetMember] {
        try await directory.entries().map { entry in
            FleetMember(
                id: entry.id,
                lastSeen: entry.lastSeen,
                figures: entry.text.flatMap { GatewayFigures(json: Array($0.utf8)) }
            )
        }
    }

    /// Says that this gateway ends, so that nobody misses it.
    func close() async {
        // Where Redis is away, the name stands until it is forgotten.
        try? await directory.forget(ownID)
        await connection.close()
    }

    var counts: RedisCounts { connection.counts }
}
