import Dialects
import HTTPServer
import HTTPWire
import Metering
import Reactor
import Sealing
import StreamBytes

// MARK: - Coming and going

extension Generation {
    /// Lets one more client follow, from after the event `sequence`; call on the stream's reactor.
    ///
    /// - Returns: false when the stream has ended and the client has all of it.
    nonisolated func resume(_ client: StreamClient, after sequence: UInt64) -> Bool {
        assumeIsolated { $0.takeBack(client, after: sequence) }
    }

    private func takeBack(_ client: StreamClient, after sequence: UInt64) -> Bool {
        if outcome != nil, sequence >= log.lastSequence { return false }
        windowEndsAt = nil
        attach(client, after: min(sequence, log.lastSequence))
        return true
    }

    func attach(_ newcomer: StreamClient, after sequence: UInt64) {
        let exchange = newcomer.exchange
        clientCount += 1
        let number = clientCount
        let client = AttachedClient(
            newcomer,
            number: number,
            cursor: log.cursor(after: sequence),
            path: StreamPath(order: order, id: id, openedAt: openedWall, sealer: makeSealer()),
            flush: FlushPolicy(byteLimit: settings.bufferBytes, delay: settings.bufferDelay),
            at: executor.now,
            after: (log.lastSequence, microsecondsSinceOpening(executor.now))
        )
        if client.cursor.sequence > sequence + 1 {
            client.lostEvents = client.cursor.sequence - sequence - 1
            client.owed.insert(.gap)
        }
        clients.append(client)
        if order.isResumable {
            openHeads()
        } else {
            exchange.onClientGone { [self] in
                assumeIsolated { $0.removeClient(number, .gone) }
            }
        }
        armTimer()
    }

    /// Whether one more client may follow; call on the stream's reactor.
    nonisolated var takesClients: Bool { assumeIsolated { $0.session?.isExhausted != true } }

    /// Makes what seals the events of one more client; nil when they are not sealed.
    private func makeSealer() -> Sealer? {
        guard let session else { return nil }
        var salt: [UInt8] = []
        while salt.count < SealingSession.saltByteCount {
            let bits = executor.randomBits()
            for shift in 0..<8 { salt.append(UInt8(truncatingIfNeeded: bits >> (8 * shift))) }
        }
        let sealer = session.attach(
            stream: id.text,
            model: order.model.name,
            salt: salt,
            at: executor.now,
            in: registry.sealing
        )
        guard let sealer else { preconditionFailure("a stream that is exhausted takes no client") }
        if !order.isResumable { self.session = nil }
        return sealer
    }

    /// Starts the responses that wait for their head.
    func openHeads() {
        if case .whole = order.form { return }
        var index = 0
        while index < clients.count {
            if !clients[index].hasHead {
                let head = streamHead(for: clients[index])
                clients[index].hasHead = true
                clients[index].fields = [:]
                let number = clients[index].number
                clients[index].exchange.start(
                    head,
                    body: StreamAttachment(to: self, number: number)
                )
            }
            index += 1
        }
    }

    private func streamHead(for client: AttachedClient) -> ResponseHead {
        var head = ResponseHead(status: 200, fields: client.fields)
        head.fields.append("Content-Type", "text/event-stream")
        head.fields.append("Weir-Stream", id.text)
        head.fields.append("Cache-Control", "no-cache, no-transform")
        head.fields.append("X-Accel-Buffering", "no")
        openCoding(of: client, &head.fields)
        return head
    }

    private func finishClient(_ number: UInt32) {
        wasDelivered = true
        drop(number)
        closeIfDone()
    }

    /// The client left before the stream's end.
    private func removeClient(_ number: UInt32, _ end: ClientEnd) {
        guard clients.contains(where: { $0.number == number }) else { return }
        drop(number)
        lastClientEnd = end
        guard clients.isEmpty else { return releaseProviderIfCaughtUp() }
        if isProviderHeld { releaseProviderIfCaughtUp() }
        let window = order.isResumable ? settings.resumeWindow : .zero
        if window > .zero, !isClosed {
            windowEndsAt = executor.now + window
            armTimer()
        } else {
            giveUp()
        }
    }

    private func drop(_ number: UInt32) {
        guard let index = clients.firstIndex(where: { $0.number == number }) else { return }
        clients[index].readNetwork(into: &meter)
        closeCoding(of: clients[index])
        meter.taken(bytes: clients[index].unsentBytes)
        clients.remove(at: index)
        if !isAnyLineBusy { meter.lineBecameIdle(at: executor.now) }
        saveCounters()
        accountForLog()
    }
}

// MARK: - Handing out

// Proof for `@preconcurrency`: connections call on the reactor that they share with the stream, which
// each call checks. Unlike `assumeIsolated` that needs no closure, and these calls are made for every
// event.
extension Generation: @preconcurrency SharedBody {
    func nextBytes(
        for number: UInt32,
        into buffer: inout [UInt8],
        limit: Int
    ) -> BodyProgress {
        handOut(to: number, into: &buffer, limit: limit)
    }

    func everythingWasSent(to number: UInt32, at now: MonotonicTime) { noteSent(to: number) }

    func probe(_ number: UInt32) {
        guard let index = index(of: number) else { return }
        clients[index].owed.insert(.probe)
    }

    func responseEnded(for number: UInt32, _ reason: ResponseEnd) {
        switch reason {
        case .delivered: finishClient(number)
        case .clientGone: removeClient(number, .gone)
        case .clientStuck: removeClient(number, .stuck)
        case .closedHere: removeClient(number, .closedHere)
        }
    }
}

extension Generation {
    /// Offers what is new to every client whose line is idle.
    func flushClients() {
        isFlushing = true
        defer { isFlushing = false }
        var index = 0
        while index < clients.count {
            if clients[index].hasHead { offer(index) }
            index += 1
        }
        // A client may have gone within its own write: then another stands at its index, which is
        // offered its events by the next flush or by its own connection.
        if isAnyLineBusy { meter.lineBecameBusy(at: executor.now) }
    }

    private func offer(_ index: Int) {
        if clients[index].hasUnsent {
            clients[index].flush.eventsCameWhileBusy(at: executor.now)
        } else if clients[index].flushAt == nil {
            clients[index].exchange.bodyIsReady()
        }
    }

    private func handOut(
        to number: UInt32,
        into buffer: inout [UInt8],
        limit: Int
    ) -> BodyProgress {
        guard let index = index(of: number) else { return .aborted }
        let waiting = log.end.offset - clients[index].cursor.offset
        if outcome == nil, waiting > 0,
            case .wait(let instant) = clients[index].flush.lineHasRoom(
                waitingBytes: waiting,
                at: executor.now
            )
        {
            clients[index].flushAt = instant
            armTimer()
            return .pending
        }
        clients[index].flushAt = nil
        let start = buffer.count
        let first = clients[index].cursor.sequence
        append(to: &buffer, for: index, limit: limit)
        let rawCount = buffer.count - start
        let isAtEnd = clients[index].cursor.sequence > log.lastSequence
        let isLast = isAtEnd && outcome != nil
        let isCoded = code(
            &buffer,
            from: start,
            eventCount: Int(clients[index].cursor.sequence - first),
            isLast: isLast,
            for: clients[index]
        )
        guard isCoded else { return .aborted }
        let count = buffer.count - start
        if count > 0 {
            clients[index].lastHandOut = executor.now
            clients[index].unsentBytes += count
            meter.handedOut(bytes: count, rawBytes: rawCount)
            // Before the bytes are written: the process may end in the middle of it.
            noteInFlight()
            // What a connection fetches for itself was waiting for it: it was busy a moment ago.
            if !isFlushing { meter.lineBecameBusy(at: executor.now) }
        }
        accountForLog()
        releaseProviderIfCaughtUp()
        return isLast ? .finished : isAtEnd ? .pending : .more
    }

    private func append(to buffer: inout [UInt8], for index: Int, limit: Int) {
        let start = buffer.count
        if clients[index].owed.contains(.probe) { clients[index].path.appendProbe(to: &buffer) }
        let surroundings = StreamPath.Surroundings(
            now: executor.now,
            sealing: registry.sealing,
            codings: registry.codings
        )
        clients[index].path.appendParameters(
            before: clients[index].cursor.sequence,
            to: &buffer
        )
        if clients[index].owed.contains(.gap) {
            clients[index].path.appendGap(
                lost: clients[index].lostEvents,
                before: clients[index].cursor.sequence,
                in: surroundings,
                to: &buffer
            )
        }
        let retry = log.oldest.sequence == 1 ? retry : 0
        while buffer.count - start < limit, let entry = log.next(&clients[index].cursor) {
            clients[index].path.append(
                entry,
                of: log.bytes,
                ending: ending,
                retry: retry,
                in: surroundings,
                to: &buffer
            )
            clients[index].mark(entry)
        }
        if clients[index].owed.contains(.heartbeat), buffer.count == start {
            clients[index].path.appendHeartbeat(
                asEvent: clients[index].sendsHeartbeatEvents ?? settings.sendsHeartbeatEvents,
                wall: executor.wallClock,
                last: log.lastSequence,
                to: &buffer
            )
        }
        clients[index].owed = []
    }

    private func noteSent(to number: UInt32) {
        guard let index = index(of: number), clients[index].hasUnsent else { return }
        meter.taken(bytes: clients[index].unsentBytes)
        clients[index].unsentBytes = 0
        let now = executor.preciseNow
        let time = microsecondsSinceOpening(now)
        for mark in clients[index].inFlight {
            meter.latency(
                microseconds: Int64(time &- mark.readAtMicroseconds),
                count: Int(mark.count)
            )
        }
        if meter.firstTokenMicroseconds == nil, !clients[index].inFlight.isEmpty,
            decoder.hasVisibleOutput
        {
            meter.firstToken(at: now)
        }
        clients[index].inFlight.removeAll(keepingCapacity: true)
        if !isAnyLineBusy { meter.lineBecameIdle(at: now) }
        saveCounters()
    }

    private var isAnyLineBusy: Bool {
        for client in clients where client.hasUnsent { return true }
        return false
    }

    func index(of number: UInt32) -> Int? { clients.firstIndex { $0.number == number } }

    /// 2 to 4 seconds, different for each client, so that not all come back at once.
    private var retry: Int64 { 2_000 + Int64(executor.randomBits() % 2_001) }
}

// MARK: - The log

extension Generation {
    func append(_ kind: EventKind, _ payload: [UInt8]) {
        log.append(
            kind,
            payload.span,
            readAtMicroseconds: microsecondsSinceOpening(executor.now)
        )
        accountForLog()
    }

    /// Drops what nobody needs any more and reports what stays.
    func accountForLog() {
        var keep = log.end
        for client in clients where client.cursor.sequence < keep.sequence { keep = client.cursor }
        guard order.isResumable else { return log.trim(toByteLimit: 0, keeping: keep) }
        let isOverBudget = core.retain(0) > settings.totalLogByteLimit
        log.trim(toByteLimit: isOverBudget ? 0 : settings.logByteLimit, keeping: keep)
        let change = log.byteCount - retained
        retained += change
        if change != 0 { _ = core.retain(change) }
    }

    func microsecondsSinceOpening(_ now: MonotonicTime) -> UInt32 {
        UInt32(truncatingIfNeeded: (now - openedAt).wholeNanoseconds / 1_000)
    }
}
