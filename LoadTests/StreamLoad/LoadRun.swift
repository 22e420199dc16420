import Glibc
import Reactor
import StreamBytes

/// One load test from its start to its result.
package struct LoadRun {
    private let options: LoadOptions
    private let group: ReactorGroup
    private let lanes: [LoadLane]

    /// Looks the target up and prepares the streams.
    ///
    /// - Throws: `LoadRunError`.
    package init(_ options: LoadOptions) throws(LoadRunError) {
        guard
            let address = NameLookup.address(of: options.target.host, port: options.target.port)
        else { throw .unknownHost(options.target.host) }
        guard let request = LoadRequest(options) else { throw .unsendable }
        try Self.raiseDescriptorLimit(for: options.streamCount)
        self.options = options
        do throws(SocketError) {
            group = try ReactorGroup(count: options.reactorCount)
        } catch {
            throw .noReactor(error)
        }
        lanes = zip(group.reactors, Self.plans(options, address, group.reactors.count)).map {
            LoadLane($1, request: request, on: $0)
        }
    }

    /// Runs the test; the calling thread waits for its end.
    ///
    /// - Parameters:
    ///   - progress: called four times a second.
    ///   - isInterrupted: asked as often; true ends the test early.
    /// - Returns: what was measured.
    /// - Throws: `LoadRunError`.
    package func run(
        progress: (LoadProgress) -> Void,
        isInterrupted: () -> Bool
    ) throws(LoadRunError) -> LoadResult {
        let start = ContinuousClock.now
        do throws(SocketError) {
            try group.start()
        } catch {
            throw .noReactor(error)
        }
        for lane in lanes { lane.reactor.perform { lane.begin() } }
        var interruption: String?
        while lanes.contains(where: { $0.published.withLock { $0.result == nil } }) {
            usleep(250_000 / 5)
            progress(LoadProgress(lanes.map { $0.published.withLock(\.self) }, since: start))
            if interruption == nil, isInterrupted() {
                interruption = "interrupted"
                for lane in lanes { lane.reactor.perform { lane.end() } }
            }
        }
        let elapsed = ContinuousClock.now - start
        group.stop()
        var tally = LoadTally()
        for lane in lanes { tally.add(lane.published.withLock(\.result) ?? LoadTally()) }
        return LoadResult(tally: tally, elapsed: elapsed, interruption: interruption)
    }

    private static func plans(
        _ options: LoadOptions,
        _ address: SocketAddress,
        _ laneCount: Int
    ) -> [LanePlan] {
        let sourceCount = sourceCount(options, address)
        let security = ClientSecurity(
            serverName: options.target.host,
            authorityFile: options.authorityFile,
            protocols: options.streamsPerConnection == nil ? [.http1] : [.http2]
        )
        return (0..<laneCount).map { lane in
            let share = options.streamCount / laneCount
            let extra = lane < options.streamCount % laneCount ? 1 : 0
            return LanePlan(
                streamCount: share + extra,
                connectRate: options.connectRate / Double(laneCount),
                duration: options.duration,
                silenceLimit: options.silenceLimit,
                address: address,
                security: options.target.isSecure ? security : nil,
                streamsPerConnection: options.streamsPerConnection,
                sources: sourceCount.map { (first: 0x7F00_0002, count: $0) }
            )
        }
    }

    /// How many source addresses are needed; nil: the system's own one will do.
    private static func sourceCount(_ options: LoadOptions, _ address: SocketAddress) -> Int? {
        guard case .v4(let host, _) = address, host >> 24 == 127, !options.target.isSecure else {
            return nil
        }
        if let count = options.sourceCount { return count }
        // Of some 28,000 ports a part is taken, or waits after a connection's end.
        return options.streamCount > 20_000 ? options.streamCount / 15_000 + 1 : nil
    }

    private static func raiseDescriptorLimit(for streamCount: Int) throws(LoadRunError) {
        var limit = rlimit()
        guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
            return
        }
        limit.rlim_cur = limit.rlim_max
        _ = unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
        let needed = streamCount + 64
        guard limit.rlim_max >= rlim_t(needed) else {
            throw .tooFewDescriptors(needed: needed, limit: Int(limit.rlim_max))
        }
    }
}

/// Why a load test cannot run.
package enum LoadRunError: Error, Equatable, Sendable, CustomStringConvertible {
    case unknownHost(String)
    /// The model, the key or the path holds what a request head cannot carry.
    case unsendable
    case noReactor(SocketError)
    case tooFewDescriptors(needed: Int, limit: Int)

    package var description: String {
        switch self {
        case .unknownHost(let host): "\(host) has no address"
        case .unsendable: "key or path hold characters that a request cannot carry"
        case .noReactor(let error): "cannot start a thread's loop: \(error)"
        case .tooFewDescriptors(let needed, let limit):
            "so many streams need \(needed) open files; the limit is \(limit)"
        }
    }
}

/// How far a load test is.
package struct LoadProgress: Sendable {
    package let elapsed: Duration
    package let open: Int
    package let started: Int
    package let completed: Int
    package let failed: Int
    package let events: Int

    init(_ states: [LaneState], since start: ContinuousClock.Instant) {
        elapsed = ContinuousClock.now - start
        open = states.reduce(0) { $0 + $1.open }
        started = states.reduce(0) { $0 + $1.started }
        completed = states.reduce(0) { $0 + ($1.result?.completed ?? $1.completed) }
        failed = states.reduce(0) { $0 + ($1.result?.failed ?? $1.failed) }
        events = states.reduce(0) { $0 + ($1.result?.events ?? $1.events) }
    }

    package var line: String {
        "\(elapsed.wholeMilliseconds / 1_000) s  open \(open)  completed \(completed)  "
            + "failed \(failed)  events \(events)"
    }
}
