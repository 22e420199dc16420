import Compression
import HTTPServer
import HTTPWire
import Reactor
import Replay
import StreamBytes

/// One answer under way: runs a script against the clock of its reactor.
///
/// Proof for `@unchecked Sendable`: after `init` it is used by its reactor's thread alone, which is
/// the caller of `BodySource`, `TimerHandler` and the exchange.
final class ReplayResponse: BodySource, TimerHandler, @unchecked Sendable {
    private let plan: ReplayPlan
    private let exchange: Exchange
    private let handler: ReplayHandler
    private var answer: ReplayedAnswer
    private var script: ReplayScript
    private var coding: ReplayCoding?
    private var timer: TimerID?
    private var hasStarted = false
    private var isOver = false
    /// A portion was handed out that shall leave in a write of its own.
    private var awaitsSending = false
    private var clientLeft = false

    init(
        _ plan: ReplayPlan,
        to received: ReceivedRequest,
        through exchange: Exchange,
        countedBy handler: ReplayHandler
    ) {
        self.plan = plan
        answer = ReplayedAnswer(user: received.user ?? "", model: received.model ?? "")
        self.exchange = exchange
        self.handler = handler
        script = ReplayScript(plan, startedAt: exchange.executor.now)
    }

    /// Starts the answer, at once or after the plan's delay.
    func begin() {
        handler.count { $0.started += 1 }
        guard plan.delay > .zero else { return start() }
        exchange.onClientGone { [self] in end(.abandoned) }
        wake(at: exchange.executor.now + plan.delay)
    }

    private func start() {
        hasStarted = true
        script = ReplayScript(plan, startedAt: exchange.executor.now)
        let opening = plan.opening
        var head = ResponseHead(status: opening.status)
        head.fields.append("content-type", opening.contentType)
        if let seconds = opening.retryAfterSeconds {
            head.fields.append("retry-after", "\(seconds)")
        }
        guard let body = opening.body else {
            head.fields.append("cache-control", "no-cache")
            if let name = plan.coding {
                do throws(CompressionError) {
                    coding = try handler.encoders.open(name)
                } catch {
                    return breakOff(sending: [], resets: true)
                }
                head.fields.append("content-encoding", name.rawValue)
            }
            return exchange.start(head, body: self)
        }
        exchange.send(HTTPResponse(head: head, body: body))
        sent(events: 0, bytes: body.count)
        end(.finished)
    }

    func timerFired(_ timer: TimerID) {
        guard !isOver else { return }
        if hasStarted { exchange.bodyIsReady() } else { start() }
    }

    func nextBytes(into buffer: inout [UInt8], limit: Int) -> BodyProgress {
        guard let coding else { return nextPlainBytes(into: &buffer, limit: limit) }
        var plain: [UInt8] = []
        // What cannot be compressed becomes a little longer.
        let progress = nextPlainBytes(into: &plain, limit: max(1, limit / 2))
        let isCoded = coding.append(plain, isLast: progress == .finished, to: &buffer)
        return isCoded ? progress : .aborted
    }

    private func nextPlainBytes(into buffer: inout [UInt8], limit: Int) -> BodyProgress {
        guard !clientLeft else { return .aborted }
        guard !awaitsSending else { return .pending }
        let (events, bytes) = (script.eventsSent, script.bytesSent)
        defer {
            sent(events: script.eventsSent - events, bytes: script.bytesSent - bytes)
        }
        while script.bytesSent - bytes < limit {
            let room = limit - (script.bytesSent - bytes)
            switch script.next(into: &buffer, limit: room, at: exchange.executor.now) {
            case .again: continue
            case .flush:
                awaitsSending = true
                return .pending
            case .wait(let due):
                wake(at: due)
                return .pending
            case .hold: return .pending
            case .finish: return .finished
            case .cut: return .aborted
            case .reset:
                breakOff(sending: [], resets: true)
                return .pending
            case .breakFraming:
                breakOff(sending: Array("zz\r\n".utf8), resets: false)
                return .pending
            }
        }
        return .more
    }

    func everythingWasSent(at now: MonotonicTime) {
        guard awaitsSending else { return }
        awaitsSending = false
        // In a turn of its own: a body cut into single bytes would otherwise nest as many calls.
        exchange.executor.perform { [exchange] in exchange.bodyIsReady() }
    }

    func clientClosedItsSendingSide() {
        // As most providers do, and so that a response that is held open notices that it is alone.
        clientLeft = true
    }

    func responseEnded(_ reason: ResponseEnd) {
        switch reason {
        case .delivered: end(.finished)
        case .closedHere where !clientLeft: end(.broken)
        case .clientGone, .clientStuck, .closedHere: end(.abandoned)
        }
    }

    /// In a turn of its own, so that what was handed out before leaves before.
    private func breakOff(sending bytes: [UInt8], resets: Bool) {
        exchange.executor.perform { [exchange] in
            exchange.breakOff(sending: bytes, resets: resets)
        }
    }

    private func wake(at due: MonotonicTime) {
        let timer = timer ?? exchange.executor.makeTimer(for: self)
        self.timer = timer
        exchange.executor.setTimer(timer, at: due)
    }

    private func sent(events: Int, bytes: Int) {
        answer.events += events
        answer.bytes += bytes
        handler.count { counts in
            counts.events += events
            counts.bytes += bytes
        }
    }

    private func end(_ end: ReplayedAnswer.End) {
        guard !isOver else { return }
        isOver = true
        answer.end = end
        handler.note(answer)
        coding?.close()
        coding = nil
        if let timer { exchange.executor.releaseTimer(timer) }
        timer = nil
    }
}
