import HTTPServer
import Reactor
import StreamBytes

/// Twenty events at 100 ms, each with the time at which it was made, so that a client can tell
/// whether something on the way holds them back.
actor SelftestSource: BodySource, TimerHandler {
    private nonisolated let exchange: Exchange
    private nonisolated let executor: any StreamExecutor
    private var timer: TimerID?
    private var sent = 0
    private var due = 0

    private static let count = 20
    private static let interval = Duration.milliseconds(100)

    nonisolated var unownedExecutor: UnownedSerialExecutor {
        unsafe executor.asUnownedSerialExecutor()
    }

    init(exchange: Exchange) {
        self.exchange = exchange
        executor = exchange.executor
    }

    nonisolated func begin() { assumeIsolated { $0.tick() } }

    nonisolated func timerFired(_ timer: TimerID) { assumeIsolated { $0.tick() } }

    nonisolated func nextBytes(into buffer: inout [UInt8], limit: Int) -> BodyProgress {
        assumeIsolated { $0.write(to: &buffer) }
    }

    nonisolated func everythingWasSent(at now: MonotonicTime) {}

    nonisolated func clientClosedItsSendingSide() {}

    nonisolated func responseEnded(_ reason: ResponseEnd) { assumeIsolated { $0.stop() } }

    private func tick() {
        due = min(due + 1, Self.count)
        if due < Self.count {
            let timer = timer ?? executor.makeTimer(for: self)
            self.timer = timer
            executor.setTimer(timer, at: executor.now + Self.interval)
        }
        exchange.bodyIsReady()
    }

    private func write(to buffer: inout [UInt8]) -> BodyProgress {
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
        return sent == Self.count ? .finished : .pending
    }

    private func stop() {
        if let timer { executor.releaseTimer(timer) }
        timer = nil
    }
}
