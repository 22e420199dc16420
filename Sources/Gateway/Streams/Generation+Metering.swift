import Dialects
import HTTPServer
import Metering
import Reactor
import Sealing
import StreamBytes
import Telemetry

extension Generation {
    /// The stream's tokens, and whether they are the provider's own figures for all of it.
    var finalUsage: (tokens: TokenUsage, isEstimated: Bool) {
        let reported = wholeAnswer?.usage ?? decoder.usage
        if let reported, wholeAnswer != nil || decoder.isComplete { return (reported, false) }
        guard hasProviderAccepted else { return (TokenUsage(), false) }
        var tokens =
            TokenEstimate(
                input: order.countedInput,
                output: wholeAnswer?.counted ?? decoder.countedOutput
            ).usage
        if let reported {
            // A provider that was cut off has counted its input, and its output up to somewhere.
            tokens.input = reported.input
            tokens.cachedInput = reported.cachedInput
            tokens.cacheWrite = reported.cacheWrite
            tokens.output = max(tokens.output, reported.output)
            tokens.reasoning = max(tokens.reasoning, min(reported.reasoning, tokens.output))
        }
        return (tokens, true)
    }

    /// Whether the provider may charge for the request: it was sent, and not refused.
    private var hasProviderAccepted: Bool {
        switch answer {
        case .events, .whole: return true
        case .refusal: return false
        case .none:
            if case .failed = outcome { return false }
            return true
        }
    }

    /// When the running stretch has to be cut.
    var nextCut: MonotonicTime {
        max(meter.nextCut(interval: meteringInterval).at, cutPostponedUntil ?? openedAt)
    }

    func cutStretchIfDue(at now: MonotonicTime) {
        guard now >= nextCut else { return }
        let wall = executor.wallClock
        let opening = order.opening(of: id, segment: Int64(meter.segment) + 1, at: wall)
        guard let next = core.meter.begin(opening) else {
            cutPostponedUntil = now + .seconds(1)
            return
        }
        cutPostponedUntil = nil
        for client in clients { client.readNetwork(into: &meter) }
        let end = meter.nextCut(interval: meteringInterval).end
        meter.isInMaintenance = core.isDraining
        let record = meter.cut(at: now, wall: wall, end: end)
        let ended = slot
        slot = next
        // Before the ended one goes: a stream whose process ends here has its tokens in a slot.
        saveCounters()
        finish(record, in: ended)
    }

    /// Keeps the counters of the running stretch where they outlive the process.
    func saveCounters() {
        guard !hasFinalRecord else { return }
        hasUnsavedEvents = false
        var counters = meter.counters(at: executor.now)
        let (tokens, isEstimated) = finalUsage
        counters.take(tokens, isEstimated: isEstimated)
        core.meter.save(counters, in: &slot)
    }

    /// Keeps what is about to be in flight there, too: one word, which the next save replaces.
    func noteInFlight() {
        if !hasFinalRecord { core.meter.note(inFlightBytes: meter.inFlight, in: slot) }
    }

    func writeFinalRecord() {
        hasFinalRecord = true
        meter.isInMaintenance = core.isDraining
        var record = meter.cut(at: executor.now, wall: executor.wallClock, end: stretchEnd)
        let usage = finalUsage
        record.usage = usage.tokens
        record.isUsageEstimated = usage.isEstimated
        finish(record, in: slot)
        core.closeStream()
        registry.count(endCounts(record), account: order.caller.account)
        logEnd(record)
    }

    private func finish(_ record: UsageRecord, in slot: MeterSlot) {
        var record = record
        order.name(&record, of: id)
        record.coding = codings.text
        core.meter.finish(record, in: slot)
    }

    /// Why the last stretch ended.
    private var stretchEnd: StretchEnd {
        if case .failed? = outcome { return .providerError }
        guard isAbandoned else { return outcome?.stretchEnd ?? .clientGone }
        switch lastClientEnd {
        case .stuck?: return .slowClient
        case .closedHere?: return .drain
        case .gone?, nil: return .clientGone
        }
    }

    private func endCounts(_ record: UsageRecord) -> StreamEndCounts {
        StreamEndCounts(
            provider: order.target.provider,
            end: record.end,
            events: Int64(meter.totalEvents),
            bytes: Int64(meter.totalBytes),
            usage: record.usage ?? TokenUsage(),
            durationMilliseconds: (executor.now - openedAt).wholeMilliseconds,
            firstTokenMicroseconds: meter.firstTokenMicroseconds.map(Int64.init),
            latency: record.latency,
            minute: executor.wallClock.milliseconds / 60_000
        )
    }

    private func logEnd(_ record: UsageRecord) {
        var line = LogLine(record.end == .providerError ? .warning : .info, "stream_end")
        line.add("stream", id.text)
        line.add("request_id", order.requestID)
        line.add("account", order.caller.account)
        line.add("key_id", order.caller.keyID)
        line.add("model", order.model.name)
        line.add("provider", order.target.provider)
        line.add("end", record.end.rawValue)
        if let sealing = order.sealing { line.add("sealing", sealing.name) }
        if case .failed(let failure)? = outcome {
            line.add("code", failure.code.rawValue)
            line.add("reason", failure.logReason)
        }
        line.add("events", Int64(meter.totalEvents))
        line.add("bytes", Int64(meter.totalBytes))
        line.add("input_tokens", record.usage?.input)
        line.add("output_tokens", record.usage?.output)
        line.add("first_token_us", meter.firstTokenMicroseconds)
        line.add("duration_ms", (executor.now - openedAt).wholeMilliseconds)
        core.log.write(line)
    }
}

extension NetworkReading {
    init(_ statistics: ExchangeStatistics) {
        self.init()
        let connection = statistics.connection
        roundTripMicroseconds = connection.roundTripMicroseconds
        retransmits = connection.retransmits
        lost = connection.lost
        receiveWindowLimitedMicroseconds = connection.receiveWindowLimitedMicroseconds
        streamWindowClosedMicroseconds = UInt64(
            clamping: statistics.windowClosed.wholeNanoseconds / 1_000
        )
    }
}

extension StreamOrder {
    /// What names a stretch that begins.
    func opening(of id: StreamID, segment: Int64, at wall: WallTime) -> UsageRecord {
        var opening = UsageRecord()
        opening.segment = segment
        opening.startedAtMilliseconds = wall.milliseconds
        name(&opening, of: id)
        return opening
    }

    /// Fills in whose a record is; its segment is known.
    fileprivate func name(_ record: inout UsageRecord, of id: StreamID) {
        record.recordID = "\(id.text).\(record.segment)"
        record.accountID = caller.account
        record.connectionID = id.text
        record.model = model.price
        record.keyID = caller.keyID
        record.user = user
        record.purpose = purpose
        record.provider = target.provider
        if let sealing { record.sealing = sealing.name }
    }
}
