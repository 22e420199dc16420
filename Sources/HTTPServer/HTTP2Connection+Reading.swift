import HTTP2
import HTTPWire
import Reactor
import StreamBytes

extension HTTP2Connection {
    /// How many reads one turn makes, so that a fast client cannot starve the others.
    private static let readLimit = 16

    /// Reads until the input is used up, as long as the client takes what is sent.
    func pump() {
        guard !isPumping, phase == .open else { return }
        isPumping = true
        defer { isPumping = false }
        var readCount = 0
        // A client that reads nothing must not have answers gathered for it: acknowledgements and
        // windows wait in its own buffers.
        while phase == .open, inputMayWait, output.isEmpty {
            guard readCount < Self.readLimit else {
                return executor.perform { self.assumeIsolated { $0.pump() } }
            }
            readCount += 1
            readOnce()
        }
    }

    private func readOnce() {
        guard let socket else { return }
        var scratch = executor.takeScratch()
        switch socket.read(into: &scratch) {
        case .bytes(let count):
            // A short read means that nothing more is there, unless the end is.
            if count < scratch.count, !peerHasClosed { inputMayWait = false }
            take(scratch, count)
        case .wouldBlock: inputMayWait = false
        case .endOfStream: inputEnded()
        case .failed: close(.clientGone, resets: false)
        }
        executor.returnScratch(scratch)
    }

    private func take(_ input: [UInt8], _ count: Int) {
        var arrived: [HTTP2Event] = []
        swap(&arrived, &events)
        var failure: HTTP2Failure?
        do throws(HTTP2Failure) {
            try session?.receive(
                input.span.extracting(0..<count),
                at: executor.now,
                into: &arrived
            )
        } catch {
            failure = error
        }
        for event in arrived where phase == .open { handle(event, input.span) }
        arrived.removeAll(keepingCapacity: true)
        swap(&arrived, &events)
        if let failure { return fail(failure) }
        noteHead()
        requestFlush()
    }

    private func handle(_ event: HTTP2Event, _ input: Span<UInt8>) {
        switch event {
        case .head(let id, let head): begin(id, head)
        case .data(let id, let range): take(input.extracting(range), on: id)
        case .end(let id): inputEnded(on: id)
        case .closed(let id, _, _): streamClosed(id)
        case .windowGrew(let id): windowGrew(id)
        case .settingsChanged: windowGrew(nil)
        case .pong: if endAnnouncedAt != nil { refuseStreams() }
        case .goAway: isDraining = true
        }
    }

    /// A header section may not take longer than the head of a request of HTTP/1.1.
    private func noteHead() {
        guard session?.isInHead == true else {
            headStartedAt = nil
            return
        }
        guard headStartedAt == nil else { return }
        headStartedAt = executor.now
        arm(at: executor.now + registry.configuration.headTimeout)
    }

    /// The client will send nothing more; what it asked for whole it still gets.
    private func inputEnded() {
        peerHasClosed = true
        inputMayWait = false
        for stream in streams.values where stream.phase == .reading { drop(stream) }
        if streams.isEmpty { close(.clientGone, resets: false) }
    }

    // MARK: Requests

    private func begin(_ id: HTTP2StreamID, _ received: HTTP2Head) {
        guard streams[id] == nil else { return }
        let stream = HTTP2Stream(id)
        streams[id] = stream
        idleAt = nil
        stream.inputHasEnded = received.endsStream
        stream.isReplyToHead = received.method == "HEAD"
        do throws(HTTPError) {
            try admit(stream, received)
        } catch {
            refuse(stream, error)
        }
    }

    private func admit(_ stream: HTTP2Stream, _ received: HTTP2Head) throws(HTTPError) {
        if received.isTooLarge { throw .headTooLarge }
        let configuration = registry.configuration
        let head = try RequestHead(
            method: received.method ?? "",
            authority: received.authority,
            path: received.path,
            fields: received.fields,
            limits: configuration.limits
        )
        let announcement = try BodyAnnouncement(head, hasBody: !received.endsStream)
        switch handler.admit(head, on: connectionInfo) {
        case .refuse(let response): answer(stream, response)
        case .take(let limit):
            let limit = min(limit, configuration.limits.bodyByteLimit)
            let incoming = IncomingRequest(head, byteLimit: limit, startedAt: executor.now)
            stream.incoming = incoming
            if let count = announcement.byteCount {
                if count > limit { throw .bodyTooLarge }
                incoming.body.reserveCapacity(min(count, 65_536))
            }
            if announcement.expectsContinue { session?.inform(on: stream.id, status: 100) }
            if !received.endsStream { arm(at: executor.now + configuration.bodyTimeout) }
        }
    }

    private var connectionInfo: ConnectionInfo {
        let unknown = SocketAddress.unix(path: "")
        return ConnectionInfo(
            peer: socket?.peer ?? unknown,
            local: socket?.local ?? unknown,
            isSecure: isSecure
        )
    }

    private func take(_ bytes: Span<UInt8>, on id: HTTP2StreamID) {
        session?.consume(bytes.count, on: id)
        guard let stream = streams[id], let incoming = stream.incoming else { return }
        guard incoming.body.count + bytes.count <= incoming.byteLimit else {
            return refuse(stream, .bodyTooLarge)
        }
        guard registry.holdBody(bytes.count) else {
            return refuse(stream, status: 503, reason: "too many requests are being read")
        }
        incoming.body.append(bytes)
    }

    private func inputEnded(on id: HTTP2StreamID) {
        guard let stream = streams[id] else { return }
        stream.inputHasEnded = true
        guard let incoming = stream.incoming else { return }
        releaseIncoming(stream)
        let request = HTTPRequest(head: incoming.head, body: incoming.body)
        stream.phase = .responding
        stream.request = request
        handler.respond(to: request, through: Exchange(through: self, number: UInt64(id)))
    }

    func releaseIncoming(_ stream: HTTP2Stream) {
        guard let incoming = stream.incoming else { return }
        registry.releaseBody(incoming.body.count)
        stream.incoming = nil
    }

    /// Answers what cannot be served; the other streams go on.
    private func refuse(_ stream: HTTP2Stream, _ error: HTTPError) {
        refuse(stream, status: error.status, reason: error.reason)
    }

    func refuse(_ stream: HTTP2Stream, status: Int, reason: String) {
        let head = stream.incoming?.head
        answer(stream, handler.refusal(status: status, reason: reason, head: head))
    }

    // MARK: The client's word on streams

    /// The stream is over at the session: the client reset it, or broke its rules.
    private func streamClosed(_ id: HTTP2StreamID) {
        guard let stream = streams[id], !stream.endIsFramed else { return }
        forget(stream, .clientGone)
    }

    private func windowGrew(_ id: HTTP2StreamID?) {
        if let id {
            if let stream = streams[id], stream.blockedAt != nil { enqueue(stream) }
            return
        }
        for stream in streams.values where stream.blockedAt != nil { enqueue(stream) }
    }
}
