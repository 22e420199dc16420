import HTTPServer
import HTTPWire
import Reactor
import StreamBytes

/// Twenty events at 100 ms, each with the time at which it was made, so that a client can tell
/// whether something on the way holds them back.
actor SelftestSource: BodySource, TimerHandler {
    private nonisolated let exchange: Exchange
    private nonisolated let executor: any StreamExecutor
    private nonisolated let visit: Visit
    private var body: CodedBody?
    private var timer: TimerID?
    private var isOver = false
    private var sent = 0
    private var due = 0

    private static let count = 20
    private static let interval = Duration.milliseconds(100)
    /// About what one event takes.
    private static let eventByteCount = 80

    nonisolated var unownedExecutor: UnownedSerialExecutor {
        unsafe executor.asUnownedSerialExecutor()
    }

    init(for visit: Visit) {
        self.visit = visit
        exchange = visit.exchange
        executor = exchange.executor
    }

    /// Starts the response.
    nonisolated func begin(_ head: ResponseHead) { assumeIsolated { $0.open(head) } }

    nonisolated func timerFired(_ timer: TimerID) { assumeIsolated { $0.tick() } }

    nonisolated func nextBytes(into buffer: inout [UInt8], limit: Int) -> BodyProgress {
        assumeIsolated { $0.write(to: &buffer) }
    }

    nonisolated func everythingWasSent(at now: MonotonicTime) {}

    nonisolated func clientClosedItsSendingSide() {}

    nonisolated func responseEnded(_ reason: ResponseEnd) { assumeIsolated { $0.stop() } }

    private func open(_ head: ResponseHead) {
        var head = head
        let question = CodingChooser.Question(
            accepted: visit.acceptedCodings,
            configured: visit.settings.streams.codings,
            kind: .weirEvents,
            expectedByteCount: Self.count * Self.eventByteCount
        )
        body = visit.codings.withLock {
            $0.open(
                question,
                budgetLimit: visit.settings.streams.codingBudget,
                &head.fields
            ).body
        }
        exchange.start(head, body: self)
        tick()
    }

    private func tick() {
        guard !isOver else { return }
        due = min(due + 1, Self.count)
        if due < Self.count {
            let timer = timer ?? executor.makeTimer(for: self)
            self.timer = timer
            executor.setTimer(timer, at: executor.now + Self.interval)
        }
        exchange.bodyIsReady()
    }

    private func write(to buffer: inout [UInt8]) -> BodyProgress {
        let start = buffer.count
        let eventCount = due - sent
        while sent < due {
            sent += 1
            buffer.append("id: ")
            buffer.append(decimal: Int64(sent))
            buffer.append("\nevent: selftest\ndata: {\"number\":")
            buffer.append(decimal: Int64(sent))
            buffer.append(",\"of\":")
            buffer.append(decimal: Int64(Self.count))
            buffer.append(",\"at\":")
            buffer.append(decimal: executor.wallClock.milliseconds)
            buffer.append("}\n\n")
        }
        let isLast = sent == Self.count
        if let body {
            let isCoded = visit.codings.withLock {
                $0.code(body, eventCount: eventCount, isLast: isLast, from: start, of: &buffer)
            }
            guard isCoded else { return .aborted }
        }
        return isLast ? .finished : .pending
    }

    private func stop() {
        isOver = true
        if let timer { executor.releaseTimer(timer) }
        timer = nil
        if let body { visit.codings.withLock { $0.close(body) } }
        body = nil
    }
}
