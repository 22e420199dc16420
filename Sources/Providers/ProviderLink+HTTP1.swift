import HTTPWire
import Reactor
import StreamBytes

// A connection of its own: one request, one answer, then perhaps the next.
extension ProviderLink {
    func send() {
        state = .sending
        while sentCount < outgoing.count {
            guard let socket else { return }
            switch socket.write(outgoing.span.extracting(sentCount...)) {
            case .wrote(0): return
            case .wrote(let count): sentCount += count
            case .failed:
                // The answer, or the reason, may already be there to read.
                peerHasClosed = true
                return read()
            }
        }
        state = .awaitingHead
        if !isReused { outgoing = [] }
        wait(atMost: timeouts.firstByte)
    }

    func read() {
        guard !isPaused else {
            hasUnreadInput = true
            return
        }
        hasUnreadInput = false
        var buffer = executor.takeScratch()
        defer { executor.returnScratch(buffer) }
        while let socket, !isPaused {
            switch socket.read(into: &buffer) {
            case .bytes(let count):
                // A short read empties the socket, but an end that was told with it is told once.
                guard take(buffer, count: count), count == buffer.count || peerHasClosed else {
                    return
                }
                hasUnreadInput = isPaused
            case .wouldBlock: return
            case .endOfStream: return connectionEnded(isOrderly: true)
            case .failed: return connectionEnded(isOrderly: false)
            }
        }
    }

    /// Passes on what was read.
    ///
    /// - Returns: whether more of this answer is due.
    private func take(_ buffer: [UInt8], count: Int) -> Bool {
        wait(atMost: timeouts.silence)
        let receiver = receiver
        var offset = 0
        do throws(HTTPError) {
            // A step may follow the last byte: the end of a body whose length was given.
            steps: while true {
                let input = buffer.span.extracting(..<count)
                switch try parser.parse(input, from: &offset) {
                case .needsMore:
                    break steps
                case .interim:
                    continue
                case .head(let head):
                    // What is left of the request will not be sent: another one cannot follow.
                    if sentCount < outgoing.count { sentCount = 0 }
                    outgoing = []
                    state = .receiving
                    receiver?.providerAnswered(head)
                case .body(let range):
                    receiver?.providerSent(buffer, range)
                case .end:
                    complete(hasExcess: offset < count)
                    return false
                }
                // The receiver may have given the request up.
                guard state != .closed else { return false }
            }
        } catch {
            fail(.badAnswer(error.reason))
            return false
        }
        if state == .receiving { receiver?.providerReadEnded() }
        return state != .closed
    }

    /// - Parameter isOrderly: false when the connection broke, which is the end of no body.
    private func connectionEnded(isOrderly: Bool) {
        switch state {
        case .receiving:
            let isWhole = isOrderly && (try? parser.endOfStream()) ?? false
            let receiver = end()
            close()
            receiver?.providerEnded(isWhole ? .complete : .truncated)
        case .sending, .awaitingHead:
            // A connection from the pool may have been closed by the provider just before it was
            // used; no byte of an answer came, so the request is sent again, once, on a new one.
            if isReused, parser.hasNothing { reopen() } else { fail(.noAnswer) }
        case .idle, .waiting, .resolving, .connecting, .closed:
            close()
        }
    }

    private func complete(hasExcess: Bool) {
        let canReuse =
            parser.canReuseConnection && !hasExcess && sentCount > 0 && !peerHasClosed
        let receiver = end()
        if canReuse {
            state = .idle
            wait(atMost: Self.idleLimit)
            pool.park(self)
        } else {
            close()
        }
        receiver?.providerEnded(.complete)
    }
}

extension ProviderRequest {
    /// Returns the request as it goes on the wire.
    func encoded() throws(HTTPError) -> [UInt8] {
        var fields: HeaderFields = ["host": endpoint.authority]
        for field in self.fields.fields { fields.append(field.name, field.value) }
        fields.append("accept-encoding", "identity")
        let head = RequestHead(
            method: "POST",
            target: path,
            path: path,
            query: nil,
            minorVersion: 1,
            fields: fields
        )
        var bytes: [UInt8] = []
        bytes.reserveCapacity(body.count + 1_024)
        try head.encode(into: &bytes, bodyByteCount: body.count)
        bytes.append(contentsOf: body)
        return bytes
    }
}
