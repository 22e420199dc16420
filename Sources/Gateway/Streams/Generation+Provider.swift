import Dialects
import HTTPWire
import Providers
import Reactor
import StreamBytes

// Proof for `@preconcurrency`: links call on the reactor that they share with the stream, which each
// call checks. Unlike `assumeIsolated` that needs no closure, and these calls are made for every
// event.
extension Generation: @preconcurrency ProviderReceiver {
    package func providerAnswered(_ head: ResponseHead) { take(head) }

    package func providerSent(_ bytes: [UInt8], _ range: Range<Int>) { take(bytes, range) }

    package func providerReadEnded() { flushEvents() }

    package func providerEnded(_ end: ProviderEnd) { providerDidEnd(end) }
}

extension Generation {
    /// The longest error answer that is read, in bytes.
    private static let refusalLimit = 65_536
    /// The longest whole answer, in bytes.
    static let wholeLimit = 8_388_608

    private func take(_ head: ResponseHead) {
        guard outcome == nil else { return }
        guard head.status == 200 else {
            answer = .refusal(
                status: head.status,
                retryAfter: head.fields.first("retry-after"),
                body: []
            )
            return
        }
        if let coding = head.fields.first("content-encoding"),
            !coding.isEqualIgnoringASCIICase(to: "identity")
        {
            return fail(.badAnswer("its answer is encoded as \(coding.prefix(20)), unasked"))
        }
        let type = head.fields.first("content-type") ?? ""
        if order.isWholePassedThrough {
            answer = .whole([])
        } else if type.isEmpty || type.lowercased().hasPrefix("text/event-stream") {
            answer = .events
            openHeads()
        } else {
            fail(.badAnswer("it sent \(type.prefix(60)) where an event stream was due"))
        }
    }

    private func take(_ bytes: [UInt8], _ range: Range<Int>) {
        switch answer {
        case .events: decode(bytes, range)
        case .whole(var body):
            answer = .none
            body.append(contentsOf: bytes[range])
            let isTooLong = body.count > Self.wholeLimit
            answer = .whole(body)
            if isTooLong { fail(.badAnswer("its answer is too long")) }
        case .refusal(let status, let retryAfter, var body):
            answer = .none
            body.append(contentsOf: bytes[range].prefix(Self.refusalLimit - body.count))
            answer = .refusal(status: status, retryAfter: retryAfter, body: body)
        case .none: break
        }
    }

    private func decode(_ bytes: [UInt8], _ range: Range<Int>) {
        var batch = registry.takeBatch()
        answerIsOver = decoder.decode(bytes.span.extracting(range), into: &batch)
        keep(batch)
        registry.returnBatch(consume batch)
    }

    private func keep(_ batch: DeltaBatch) {
        recent.note(events: meter.totalEvents, bytes: meter.totalBytes, at: executor.now)
        meter.delivered(events: batch.entries.count, rawBytes: 0, at: executor.now)
        guard outcome == nil, !batch.isEmpty else { return }
        hasUnsavedEvents = true
        let time = microsecondsSinceOpening(executor.now)
        for entry in batch.entries {
            log.append(
                EventKind(entry.kind),
                batch.bytes.span.extracting(entry.range),
                readAtMicroseconds: time
            )
        }
        // With clients, the log is seen to when they are handed what came.
        if clients.isEmpty { accountForLog() }
    }

    /// Called when all of one read is decoded: what it brought leaves together.
    private func flushEvents() {
        if outcome == nil, answerIsOver {
            if let failure = decoder.failure {
                end(.failed(StreamFailure(failure, key: order.target.apiKey)))
            } else if decoder.isTerminal {
                end(.complete(decoder.finish ?? .stop))
            }
        }
        flushClients()
        if hasUnsavedEvents { saveCounters() }
        holdProviderIfBehind()
    }

    private func providerDidEnd(_ end: ProviderEnd) {
        link = nil
        guard outcome == nil else { return }
        switch answer {
        case .events:
            var batch = DeltaBatch()
            decoder.endOfBody(into: &batch)
            keep(batch)
            self.end(outcomeOfEvents(end))
        case .whole(let body) where end == .complete: endWhole(body)
        case .refusal(let status, let retryAfter, let body):
            refuse(status: status, retryAfter: retryAfter, body: body)
        case .whole, .none: self.end(.failed(StreamFailure(provider: order.target.provider, end)))
        }
        flushClients()
    }

    private func outcomeOfEvents(_ end: ProviderEnd) -> StreamOutcome {
        if let failure = decoder.failure {
            return .failed(StreamFailure(failure, key: order.target.apiKey))
        }
        // A finish reason stands for the terminal event only where the body came to its own end: some
        // providers send no other, but a connection that broke may have taken the rest with it.
        if decoder.isTerminal || (end == .complete && decoder.isComplete) {
            return .complete(decoder.finish ?? .stop)
        }
        return .failed(StreamFailure(provider: order.target.provider, end))
    }

    private func refuse(status: Int, retryAfter: String?, body: [UInt8]) {
        let failure = ProviderFailure(status: status, body: body, dialect: order.target.dialect)
        end(.failed(StreamFailure(failure, key: order.target.apiKey, retryAfter: retryAfter)))
    }

    private func endWhole(_ body: [UInt8]) {
        do throws(ProviderFailure) {
            let whole = try WholeResponse(parsing: body, model: order.model.name)
            wholeAnswer = (whole.usage, whole.countedOutput)
            meter.delivered(events: 1, rawBytes: 0, at: executor.now)
            append(.raw, whole.body)
            end(.complete(whole.finish ?? .stop))
        } catch {
            end(.failed(StreamFailure(error, key: order.target.apiKey)))
        }
    }

    func fail(_ trouble: ProviderTrouble) {
        end(.failed(StreamFailure(provider: order.target.provider, .failed(trouble))))
        flushClients()
    }
}

// MARK: - Back-pressure

extension Generation {
    /// Bytes of events that the slowest client has not been handed yet.
    private var backlog: Int {
        var backlog = 0
        for client in clients { backlog = max(backlog, log.end.offset - client.cursor.offset) }
        return backlog
    }

    func holdProviderIfBehind() {
        // A whole answer is put together here: nobody reads it meanwhile.
        if case .whole = order.form {
            if log.byteCount > Self.wholeLimit { fail(.badAnswer("its answer is too long")) }
            return
        }
        guard !isProviderHeld, let link, backlog >= settings.bufferLimit else { return }
        isProviderHeld = true
        meter.clientStalled(at: executor.now)
        link.pause()
    }

    func releaseProviderIfCaughtUp() {
        guard isProviderHeld, backlog < settings.bufferLimit / 2 else { return }
        isProviderHeld = false
        // In a turn of its own: the caller is in the middle of a client's write.
        executor.perform { [self] in assumeIsolated { $0.readOn() } }
    }

    private func readOn() {
        meter.clientResumed(at: executor.now)
        if !isProviderHeld { link?.resume() }
    }
}
