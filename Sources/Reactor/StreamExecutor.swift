import StreamBytes

/// One thread's loop, as everything that lives on it sees it: executor, clock, randomness, timers
/// and sockets.
///
/// The gateway runs on `ReactorThread`; simulations run on an implementation with virtual time and
/// a seeded schedule. Unless said otherwise, call its methods on its own thread only.
package protocol StreamExecutor: SerialExecutor {
    /// The place of this reactor in its group, from 0.
    var index: Int { get }

    /// Whether the caller runs on this reactor's thread. May be asked from any thread.
    var isCurrent: Bool { get }

    /// The monotonic clock, read once per turn of the loop.
    var now: MonotonicTime { get }

    /// The monotonic clock, read at the call: for measuring inside a turn.
    var preciseNow: MonotonicTime { get }

    /// The wall clock, read once per turn of the loop.
    var wallClock: WallTime { get }

    /// CPU time that the thread has used, in nanoseconds, to find out how busy it is.
    var cpuNanoseconds: Int64 { get }

    /// 64 random bits from a cryptographic source (seeded in simulations).
    func randomBits() -> UInt64

    /// Runs `work` on this reactor in a later turn. Call from any thread.
    func perform(_ work: @escaping @Sendable () -> Void)

    /// Makes a timer that is not armed; at most one deadline at a time.
    ///
    /// - Parameter handler: told when the timer fires; held until `releaseTimer`.
    /// - Returns: the timer, until `releaseTimer`.
    func makeTimer(for handler: any TimerHandler) -> TimerID

    /// Arms the timer, or moves it. It fires once, at `deadline` or up to a tick (10 ms) after it.
    ///
    /// - Parameters:
    ///   - timer: the timer.
    ///   - deadline: nil disarms.
    func setTimer(_ timer: TimerID, at deadline: MonotonicTime?)

    /// Gives the timer up; it will not fire any more.
    func releaseTimer(_ timer: TimerID)

    /// Starts a connection; the handler learns by `isWritable` that it is open or by `hasFailed`
    /// that it is not.
    ///
    /// - Parameters:
    ///   - address: where to.
    ///   - security: nil for plain TCP. The TLS handshake, with SNI and host name check, is part of
    ///     connecting.
    ///   - handler: told what happens; held until the socket is closed.
    /// - Returns: the socket, which is not open yet.
    /// - Throws: what failed at once, such as the lack of descriptors.
    func connect(
        to address: SocketAddress,
        security: ClientSecurity?,
        handler: any SocketHandler
    ) throws(SocketError) -> any StreamSocket

    /// Takes over a descriptor that another reactor passed on.
    func adopt(_ socket: consuming PassedSocket, handler: any SocketHandler) -> any StreamSocket

    /// As `adopt(_:handler:)`, with TLS as the server. The handler learns by `isWritable` that the
    /// handshake is done, or by `hasFailed` that it failed.
    func adopt(
        _ socket: consuming PassedSocket,
        security: ServerSecurity,
        handler: any SocketHandler
    ) -> any StreamSocket

    /// Lends the reactor's large buffer (64 KiB, all of it counted) to one synchronous piece of
    /// work; nested calls get another one.
    func takeScratch() -> [UInt8]

    /// Gives a buffer from `takeScratch` back.
    func returnScratch(_ buffer: consuming [UInt8])
}

/// A timer of one reactor.
package struct TimerID: Hashable, Sendable {
    package let slot: Int32
    package let generation: UInt32

    package init(slot: Int32, generation: UInt32) {
        self.slot = slot
        self.generation = generation
    }
}

/// Told on the reactor's thread, outside any task, when its timer fires.
package protocol TimerHandler: AnyObject, Sendable {
    func timerFired(_ timer: TimerID)
}

extension StreamExecutor {
    /// For executors on virtual time, which are never busy.
    package var cpuNanoseconds: Int64 { 0 }

    /// For executors whose sockets know no TLS.
    package func adopt(
        _ socket: consuming PassedSocket,
        security: ServerSecurity,
        handler: any SocketHandler
    ) -> any StreamSocket {
        preconditionFailure("TLS is accepted by reactors that have it")
    }
}
