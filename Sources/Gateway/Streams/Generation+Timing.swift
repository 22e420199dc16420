import Reactor
import StreamBytes

extension Generation: TimerHandler {
    package nonisolated func timerFired(_ timer: TimerID) {
        assumeIsolated { $0.checkTimes() }
    }
}

extension Generation {
    private func checkTimes() {
        armedAt = nil
        guard !isClosed else { return }
        let now = executor.now
        if now >= openedAt + settings.lifetime { end(.complete(.lifetime)) }
        if let windowEndsAt, now >= windowEndsAt { windowDidEnd() }
        if outcome == nil { cutStretchIfDue(at: now) }
        sendWhatIsDue(at: now)
        armTimer()
    }

    private func windowDidEnd() {
        windowEndsAt = nil
        if clients.isEmpty { giveUp() }
    }

    private func sendWhatIsDue(at now: MonotonicTime) {
        var opensHeads = false
        var index = 0
        while index < clients.count {
            if let flushAt = clients[index].flushAt, now >= flushAt {
                clients[index].flushAt = nil
                clients[index].exchange.bodyIsReady()
            } else if let due = heartbeatDue(clients[index]), now >= due {
                // Bytes that wait for the kernel show the client more than a heartbeat could.
                clients[index].lastHandOut = now
                if !clients[index].hasUnsent { clients[index].owed.insert(.heartbeat) }
                if !clients[index].hasHead {
                    opensHeads = true
                } else if !clients[index].hasUnsent {
                    clients[index].exchange.bodyIsReady()
                }
            }
            index += 1
        }
        if opensHeads { openHeads() }
    }

    private func heartbeatDue(_ client: AttachedClient) -> MonotonicTime? {
        if case .whole = order.form { return nil }
        return settings.heartbeat.map { client.lastHandOut + $0 }
    }

    /// Arms the timer for the earliest thing due; one that is armed for sooner stays.
    func armTimer() {
        guard !isClosed else { return }
        var next = openedAt + settings.lifetime
        if outcome != nil, let windowEndsAt { next = windowEndsAt }
        if let windowEndsAt { next = min(next, windowEndsAt) }
        if outcome == nil { next = min(next, nextCut) }
        for client in clients {
            if let flushAt = client.flushAt { next = min(next, flushAt) }
            if let due = heartbeatDue(client) { next = min(next, due) }
        }
        if let armedAt, armedAt <= next { return }
        let timer = timer ?? executor.makeTimer(for: self)
        self.timer = timer
        armedAt = next
        executor.setTimer(timer, at: next)
    }
}
