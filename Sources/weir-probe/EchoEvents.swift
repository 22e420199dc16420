import HTTPServer
import Reactor
import StreamBytes

/// A stream of numbered events, one per interval.
final class EchoEvents: BodySource, TimerHandler {
    private struct State {
        var plan: EventPlan
        var nextAt: MonotonicTime
        var timer: TimerID?
        var owesComment = false
    }

    private let exchange: Exchange
    private let state: Guarded<State>

    init(_ plan: EventPlan, _ exchange: Exchange) {
        self.exchange = exchange
        state = Guarded(State(plan: plan, nextAt: exchange.executor.now))
    }

    func nextBytes(into buffer: inout [UInt8], limit: Int) -> BodyProgress {
        let now = exchange.executor.now
        let end = buffer.count + limit
        return state.withLock { state in
            if state.owesComment {
                buffer.append(contentsOf: ":\n\n".utf8)
                state.owesComment = false
            }
            while state.plan.next <= state.plan.last {
                guard state.nextAt <= now else {
                    arm(&state)
                    return .pending
                }
                guard buffer.count < end else { return .more }
                let number = state.plan.next
                buffer.append(contentsOf: "id: \(number)\ndata: \(number)\n\n".utf8)
                state.plan.advance()
                state.nextAt = state.nextAt + state.plan.interval
            }
            return .finished
        }
    }

    private func arm(_ state: inout State) {
        let timer = state.timer ?? exchange.executor.makeTimer(for: self)
        state.timer = timer
        exchange.executor.setTimer(timer, at: state.nextAt)
    }

    func timerFired(_ timer: TimerID) { exchange.bodyIsReady() }

    func everythingWasSent(at now: MonotonicTime) {}

    func clientClosedItsSendingSide() { state.withLock { $0.owesComment = true } }

    func responseEnded(_ reason: ResponseEnd) {
        let timer = state.withLock { state in
            defer { state.timer = nil }
            return state.timer
        }
        if let timer { exchange.executor.releaseTimer(timer) }
    }
}
