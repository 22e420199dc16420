import Dialects
import HTTPServer
import Metering
import Reactor
import StreamBytes

extension Generation {
    /// Ends the stream for a reason of the gateway's own; call on its reactor.
    nonisolated func end(_ reason: FinishReason) {
        assumeIsolated { generation in
            generation.end(.complete(reason))
            generation.flushClients()
        }
    }

    /// Decides how the stream ends; the first decision stands.
    func end(_ outcome: StreamOutcome) {
        guard self.outcome == nil else { return }
        self.outcome = outcome
        endedAt = executor.now
        if case .failed = outcome { meter.attemptFailed(at: executor.now) }
        if decoder.isTerminal, !outcome.isForced {
            link?.expectEnd()
        } else {
            stopProvider()
        }
        appendEnding(outcome)
        answerWithoutHead()
        closeIfDone()
    }

    /// How the stream ended, with its usage; nil while it runs.
    var ending: StreamPath.Ending? {
        outcome.map { StreamPath.Ending(outcome: $0, usage: finalUsage.tokens) }
    }

    /// Closes the provider's connection.
    func stopProvider() {
        link?.cancel()
        link = nil
    }

    private func appendEnding(_ outcome: StreamOutcome) {
        switch outcome {
        case .complete(let reason): append(.complete, completion(reason))
        case .failed(let failure): append(.error, failure.eventData)
        }
    }

    private func completion(_ reason: FinishReason) -> [UInt8] {
        let usage = finalUsage.tokens
        var data: [UInt8] = []
        data.append(#"{"finish":""#)
        data.append(contentsOf: reason.rawValue.utf8)
        data.append(#"","provider":"#)
        data.append(jsonString: order.target.provider)
        data.append(#","usage":{"input":"#)
        data.append(decimal: usage.input)
        data.append(#","output":"#)
        data.append(decimal: usage.output)
        data.append(#"},"durationMs":"#)
        data.append(decimal: (executor.now - openedAt).wholeMilliseconds)
        data.append("}")
        return data
    }

    /// Answers the clients whose response has not begun: with the real status, or the whole object.
    private func answerWithoutHead() {
        guard let ending else { return }
        for client in clients where !client.hasHead {
            var response = OpenAIAnswer.response(
                to: client,
                of: order,
                ending,
                id: id,
                log: log,
                openedAt: openedWall
            )
            response.head.fields.append("Weir-Stream", id.text)
            let rawCount = response.body.count
            let choice = registry.codings.withLock {
                $0.code(&response, accepted: client.coding.accepted, settings)
            }
            note(choice)
            meter.handedOut(bytes: response.body.count, rawBytes: rawCount)
            saveCounters()
            wasDelivered = true
            clients.removeAll { $0.number == client.number }
            client.readNetwork(into: &meter)
            client.exchange.send(response)
        }
    }

    /// Nobody will come back for the stream.
    func giveUp() {
        isAbandoned = true
        guard !isClosed, clients.isEmpty else { return }
        if outcome == nil, order.target.onDisconnect == .cancel || link == nil {
            outcome = .complete(.cancelled)
            stopProvider()
        }
        closeIfDone()
    }

    /// Nobody can come back: the gateway stops.
    ///
    /// Call on the stream's reactor.
    nonisolated func forget() {
        assumeIsolated { generation in
            generation.windowEndsAt = nil
            generation.giveUp()
        }
    }

    /// Writes the final record when the stream is over, and forgets the stream when nobody may ask
    /// for it any more.
    func closeIfDone() {
        guard outcome != nil, clients.isEmpty, !isClosed else { return }
        // Without a client that got the end, one may still come back for it.
        guard hasFinalRecord || wasDelivered || isAbandoned else { return }
        if !hasFinalRecord { writeFinalRecord() }
        let retireAt = (endedAt ?? executor.now) + settings.resumeWindow
        if order.isResumable, !isAbandoned, executor.now < retireAt {
            windowEndsAt = retireAt
            armTimer()
        } else {
            close()
        }
    }

    private func close() {
        isClosed = true
        if let timer { executor.releaseTimer(timer) }
        timer = nil
        stopProvider()
        _ = core.retain(-retained)
        retained = 0
        registry.remove(id)
    }
}
