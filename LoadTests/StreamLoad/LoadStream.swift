import HTTPWire
import Reactor
import StreamBytes

/// One of the streams that are open at the same time: one answer after the other.
///
/// Proof for `@unchecked Sendable`: it is used by the thread of its lane's reactor alone.
final class LoadStream: SocketHandler, @unchecked Sendable {
    private let lane: LoadLane
    private let number: Int
    private var socket: (any StreamSocket)?
    /// The connection that it shares, while it waits for its answer.
    private var session: LoadSession?
    private var checker: AnswerChecker?
    private var unsent: ArraySlice<UInt8> = []
    private var lastByteAt: MonotonicTime
    private var isConnected = false

    init(_ lane: LoadLane, number: Int) {
        self.lane = lane
        self.number = number
        lastByteAt = lane.reactor.now
    }

    var isOpen: Bool { socket != nil || session != nil }

    /// Asks for an answer.
    func open() {
        let now = lane.reactor.preciseNow
        checker = AnswerChecker(startedAt: now, seal: lane.request.seal)
        lastByteAt = now
        unsent = lane.request.bytes[...]
        isConnected = false
        lane.tally.opened += 1
        if let session = lane.session(of: number) {
            self.session = session
            return session.open(self)
        }
        do throws(SocketError) {
            socket = try lane.connect(self, number: number)
        } catch {
            failConnection(error)
        }
    }

    /// Gives the answer up, because the test is over.
    func cut() {
        guard isOpen else { return }
        lane.tally.cut += 1
        close()
    }

    /// Fails the stream if nothing came for too long.
    func checkSilence(at now: MonotonicTime, limit: Duration) {
        if isOpen, now - lastByteAt > limit { finish(.failed(isConnected ? .silent : .connect)) }
    }

    func socketIsReady(_ readiness: Readiness) {
        guard isOpen else { return }
        let isEnding = !readiness.isDisjoint(with: [.peerClosed, .hasFailed])
        if readiness.contains(.isWritable), !readiness.contains(.hasFailed) {
            isConnected = true
            write()
        }
        // What came before the end, or before the failure, counts.
        if isOpen, isEnding || readiness.contains(.isReadable) { read(toEnd: isEnding) }
        if isOpen, readiness.contains(.hasFailed) { failConnection(.reset) }
    }

    private func write() {
        while !unsent.isEmpty, let socket {
            switch socket.write(unsent.span) {
            case .wrote(0): return
            case .wrote(let count): unsent = unsent.dropFirst(count)
            case .failed(let error): return failConnection(error)
            }
        }
    }

    /// - Parameter toEnd: whether to go on after a short read: the end is there already and will not
    ///   be announced again.
    private func read(toEnd: Bool) {
        var buffer = lane.reactor.takeScratch()
        defer { lane.reactor.returnScratch(buffer) }
        while let socket {
            switch socket.read(into: &buffer) {
            case .bytes(let count):
                take(buffer.span.extracting(..<count))
                if count < buffer.count, !toEnd { return }
            case .wouldBlock: return
            case .endOfStream: return finish(checker?.connectionEnded() ?? .failed(.noAnswer))
            case .failed(let error): return failConnection(error)
            }
        }
    }

    private func take(_ bytes: Span<UInt8>) {
        lastByteAt = lane.reactor.preciseNow
        let progress = checker?.take(bytes, at: lastByteAt, into: &lane.tally) ?? .goesOn
        if progress != .goesOn { finish(progress) }
    }

    private func failConnection(_ error: SocketError) {
        guard isConnected else {
            lane.tally.connectError = "\(error)"
            return finish(.failed(.connect))
        }
        finish(.failed(checker?.failureOfConnection ?? .noAnswer))
    }

    // MARK: On a shared connection

    func wasSent() { isConnected = true }

    func received(_ status: Int, _ fields: HeaderFields) {
        lastByteAt = lane.reactor.preciseNow
        checker?.take(
            ResponseHead(status: status, fields: fields),
            at: lastByteAt,
            into: &lane.tally
        )
    }

    func received(_ body: Span<UInt8>) {
        lastByteAt = lane.reactor.preciseNow
        let progress = checker?.take(body: body, at: lastByteAt, into: &lane.tally) ?? .goesOn
        if progress != .goesOn { finish(progress) }
    }

    /// The body has come to its own end.
    func ended() {
        session = nil
        finish(checker?.bodyEnded(at: lane.reactor.preciseNow, into: &lane.tally) ?? .goesOn)
    }

    func wasReset() {
        session = nil
        finish(.failed(checker?.failureOfConnection ?? .noAnswer))
    }

    func connectionFailed(_ error: SocketError) {
        session = nil
        failConnection(error)
    }

    // MARK: Ends

    private func finish(_ progress: AnswerChecker.Progress) {
        close()
        switch progress {
        case .goesOn: break
        case .completed: lane.tally.completed += 1
        case .failed(let failure): lane.tally.failures[failure, default: 0] += 1
        }
        lane.streamEnded(number, wasCompleted: progress == .completed)
    }

    private func close() {
        socket?.close()
        socket = nil
        session?.cancel(self)
        session = nil
        checker = nil
    }
}
