import HTTP2
import HTTPWire
import Reactor
import StreamBytes

extension HTTP2Connection {
    /// About the most bytes of one write.
    private static let writeLimit = 65_536

    // MARK: Answers

    func answer(_ stream: HTTP2Stream, _ response: HTTPResponse) {
        let allowsBody = response.head.allowsBody
        let sendsBody = allowsBody && !stream.isReplyToHead && !response.body.isEmpty
        begin(
            stream,
            response.head,
            bodyByteCount: allowsBody ? response.body.count : nil,
            endsStream: !sendsBody
        )
        guard sendsBody, streams[stream.id] != nil, !stream.endIsFramed else { return }
        stream.held = response.body[...]
        stream.sourceHasFinished = true
        enqueue(stream)
    }

    func startAnswer(_ stream: HTTP2Stream, _ head: ResponseHead, _ body: any BodySource) {
        let hasBody = head.allowsBody && !stream.isReplyToHead
        stream.source = body
        begin(stream, head, bodyByteCount: nil, endsStream: !hasBody)
        guard hasBody, streams[stream.id] != nil, !stream.endIsFramed else { return }
        enqueue(stream)
    }

    private func begin(
        _ stream: HTTP2Stream,
        _ head: ResponseHead,
        bodyByteCount: Int?,
        endsStream: Bool
    ) {
        releaseIncoming(stream)
        stream.phase = .answering
        stream.request = nil
        stream.onClientGone = nil
        do throws(HTTPError) {
            let fields = try registry.completing(head, isSecure: isSecure)
                .http2Fields(bodyByteCount: bodyByteCount)
            session?.respond(on: stream.id, fields, endsStream: endsStream)
        } catch {
            // The handler made a head that would be another message on the wire.
            session?.respond(on: stream.id, [(":status", "500")], endsStream: true)
            endIsFramed(stream)
            return requestFlush()
        }
        if endsStream { endIsFramed(stream) }
        requestFlush()
    }

    /// Notes that nothing more will be framed for the stream.
    private func endIsFramed(_ stream: HTTP2Stream) {
        stream.endIsFramed = true
        sending.append(stream)
    }

    // MARK: Turns

    /// Lets the stream have its turn.
    func enqueue(_ stream: HTTP2Stream) {
        requestFlush()
        guard !stream.isQueued, !stream.endIsFramed else { return }
        stream.isQueued = true
        queue.append(stream)
    }

    /// Has what waits to be sent leave at the end of the turn.
    func requestFlush() {
        guard !flushIsDue, phase == .open || phase == .ending else { return }
        flushIsDue = true
        executor.perform { self.assumeIsolated { $0.flush() } }
    }

    /// Makes one write of what the session has to say and of what the streams have, each in its turn.
    private func flush() {
        flushIsDue = false
        guard output.isEmpty, phase == .open || phase == .ending else { return }
        var buffer = registry.takeBuffer(on: executor)
        session?.appendOutput(to: &buffer)
        takeTurns(&buffer)
        for stream in sending where stream.endIsFramed && !stream.inputHasEnded {
            // What the client still sends of its request is not wanted (RFC 9113, section 8.1).
            session?.reset(stream.id, .noError)
        }
        session?.appendOutput(to: &buffer)
        transmit(buffer)
        registry.returnBuffer(consume buffer, on: executor)
    }

    /// Pulls the streams one after the other; one that has more goes on behind the others.
    private func takeTurns(_ buffer: inout [UInt8]) {
        var turnCount = max(16, queue.count - queueStart)
        while turnCount > 0, queueStart < queue.count, buffer.count < Self.writeLimit {
            turnCount -= 1
            let stream = queue[queueStart]
            queueStart += 1
            stream.isQueued = false
            pull(stream, into: &buffer)
        }
        if queueStart == queue.count {
            queue.removeAll(keepingCapacity: true)
            queueStart = 0
        } else if queueStart > 256 {
            queue.removeFirst(queueStart)
            queueStart = 0
        }
    }

    /// Frames the next bytes of a stream, as many as the client takes.
    private func pull(_ stream: HTTP2Stream, into buffer: inout [UInt8]) {
        guard streams[stream.id] === stream, !stream.endIsFramed else { return }
        let room = session?.room(on: stream.id) ?? 0
        guard room > 0 else { return hold(stream) }
        let start = buffer.count
        buffer.append(contentsOf: Self.frameHeaderRoom)
        let dataStart = buffer.count
        let hasMore = fill(&buffer, from: stream, limit: room)
        guard streams[stream.id] === stream else { return buffer.removeLast(buffer.count - start) }
        keepExcess(of: &buffer, over: dataStart + room, for: stream)
        let count = buffer.count - dataStart
        let isEnd = stream.sourceHasFinished && stream.held.isEmpty && !stream.isAborted
        guard count > 0 || isEnd else {
            buffer.removeLast(buffer.count - start)
            if stream.isAborted { abandon(stream, .internalError, .closedHere) }
            if hasMore { enqueue(stream) }
            return
        }
        guard
            session?.frame(&buffer, from: start, on: stream.id, endsStream: isEnd) == true
        else { return }
        stream.unblock(at: executor.now)
        if stream.unsentCount == 0, !isEnd { sending.append(stream) }
        stream.unsentCount += count
        if isEnd { return endIsFramed(stream) }
        if hasMore || !stream.held.isEmpty || stream.isAborted { enqueue(stream) }
    }

    private static let frameHeaderRoom = [UInt8](
        repeating: 0,
        count: HTTP2Session.frameHeaderByteCount
    )

    /// Appends what goes out next.
    ///
    /// - Returns: whether the source has more already.
    @discardableResult
    private func fill(
        _ buffer: inout [UInt8],
        from stream: HTTP2Stream,
        limit: Int
    ) -> Bool {
        guard stream.held.isEmpty else {
            let part = stream.held.prefix(limit)
            buffer.append(contentsOf: part)
            stream.held = stream.held.dropFirst(part.count)
            if stream.held.isEmpty { stream.held = [] }
            return true
        }
        guard !stream.sourceHasFinished, let source = stream.source else { return false }
        let limit = min(limit, registry.configuration.writeByteLimit)
        switch source.nextBytes(into: &buffer, limit: limit) {
        case .pending: return false
        case .more: return true
        case .finished:
            stream.sourceHasFinished = true
            return false
        case .aborted:
            stream.sourceHasFinished = true
            stream.isAborted = true
            return false
        }
    }

    /// A source may hand out a little more than it was asked for.
    private func keepExcess(of buffer: inout [UInt8], over end: Int, for stream: HTTP2Stream) {
        guard buffer.count > end else { return }
        stream.held = Array(buffer[end...])[...]
        buffer.removeLast(buffer.count - end)
    }

    /// Keeps one write's worth of what the client gives no room for, as a full socket would.
    private func hold(_ stream: HTTP2Stream) {
        if stream.held.isEmpty {
            var bytes: [UInt8] = []
            fill(&bytes, from: stream, limit: registry.configuration.writeByteLimit)
            stream.held = bytes[...]
        }
        guard streams[stream.id] === stream, stream.blockedAt == nil else { return }
        guard !stream.held.isEmpty || stream.sourceHasFinished else { return }
        stream.block(at: executor.now)
        arm(at: executor.now + registry.configuration.stuckTimeout)
    }

    // MARK: The line

    private func transmit(_ bytes: [UInt8]) {
        guard !bytes.isEmpty else { return outputIsOut() }
        guard let socket else { return }
        switch socket.write(bytes.span) {
        case .wrote(let count):
            guard count < bytes.count else { return outputIsOut() }
            output = Array(bytes[count...])
            outputStart = 0
            progressAt = executor.now
            arm(at: progressAt + min(.seconds(1), registry.configuration.stuckTimeout / 3))
        case .failed: close(.clientGone, resets: false)
        }
    }

    /// The socket takes bytes again.
    func sendOutput() {
        guard !output.isEmpty, let socket else { return }
        switch socket.write(output.span.extracting(outputStart..<output.count)) {
        case .wrote(let count):
            outputStart += count
            guard outputStart == output.count else {
                if count > 0 { progressAt = executor.now }
                return
            }
            output = []
            outputStart = 0
            outputIsOut()
        case .failed: close(.clientGone, resets: false)
        }
    }

    /// The kernel has everything that was made so far.
    private func outputIsOut() {
        tellSent()
        guard phase == .open || phase == .ending else { return }
        let isAlone = peerHasClosed && !inputMayWait && streams.isEmpty
        if phase == .ending || isAlone || session?.isOver ?? true { return finishSending() }
        if queueStart < queue.count || session?.hasOutput ?? false { requestFlush() }
        if inputMayWait { executor.perform { self.assumeIsolated { $0.pump() } } }
    }

    private func tellSent() {
        guard !sending.isEmpty else { return }
        let now = executor.preciseNow
        var sent: [HTTP2Stream] = []
        swap(&sent, &sending)
        for stream in sent where streams[stream.id] === stream {
            stream.unsentCount = 0
            if stream.endIsFramed {
                stream.source?.everythingWasSent(at: now)
                forget(stream, .delivered)
            } else if stream.held.isEmpty {
                stream.source?.everythingWasSent(at: now)
            }
        }
        // The room that it had is worth keeping.
        sent.removeAll(keepingCapacity: true)
        if sending.isEmpty { swap(&sent, &sending) }
    }
}
