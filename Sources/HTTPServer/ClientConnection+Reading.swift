import HTTPWire
import Reactor
import StreamBytes

extension ClientConnection {
    /// How many reads one turn makes, so that a fast client cannot starve the others.
    private static let readLimit = 16

    /// Starts over behind an answer.
    func waitForRequest() {
        phase = .reading
        if isDraining { return finishSending() }
        setDeadline(executor.now + registry.configuration.idleTimeout)
        pump()
    }

    /// Reads and parses until the input is used up or a request is being answered.
    func pump() {
        guard !isPumping, phase == .reading else { return }
        isPumping = true
        defer { isPumping = false }
        var readCount = 0
        while phase == .reading {
            if !unread.isEmpty {
                parseUnread()
            } else if !inputMayWait {
                return
            } else if readCount == Self.readLimit {
                return executor.perform { self.assumeIsolated { $0.pump() } }
            } else {
                readCount += 1
                readOnce()
            }
        }
    }

    private func parseUnread() {
        var input: [UInt8] = []
        swap(&input, &unread)
        parse(input, count: input.count)
    }

    private func readOnce() {
        guard let socket else { return }
        var scratch = executor.takeScratch()
        switch socket.read(into: &scratch) {
        case .bytes(let count):
            // A short read means that nothing more is there, unless the end is.
            if count < scratch.count, !peerHasClosed { inputMayWait = false }
            parse(scratch, count: count)
        case .wouldBlock: inputMayWait = false
        case .endOfStream: inputEnded()
        case .failed: connectionFailed()
        }
        executor.returnScratch(scratch)
    }

    private func inputEnded() {
        peerHasClosed = true
        inputMayWait = false
        guard parser.isBetweenRequests else { return refuse(.truncated) }
        end(.clientGone, resets: false)
    }

    private func parse(_ input: [UInt8], count: Int) {
        guard preface == nil else { return lookForPreface(input[..<count]) }
        let wasBetweenRequests = parser.isBetweenRequests
        var offset = 0
        do throws(HTTPError) {
            while phase == .reading {
                let isDone = try step(input, count, &offset)
                if isDone { break }
            }
        } catch {
            return refuse(error)
        }
        guard phase == .reading else { return }
        if wasBetweenRequests, parser.isInHead {
            setDeadline(executor.now + registry.configuration.headTimeout)
        }
    }

    /// Takes one step of the parser.
    ///
    /// - Returns: whether the input is used up or kept for later.
    private func step(
        _ input: [UInt8],
        _ count: Int,
        _ offset: inout Int
    ) throws(HTTPError) -> Bool {
        let bytes = input.span.extracting(0..<count)
        switch try parser.parse(bytes, from: &offset) {
        case .needsMore: return true
        case .head(let head): try admit(head, isAlone: offset == count)
        case .body(let range):
            if refusal == nil { takeBody(bytes.extracting(range)) }
        case .end:
            // Kept before the handler runs: its answer may come at once.
            if offset < count { unread = Array(input[offset..<count]) }
            requestIsComplete()
            boundUnread()
            return true
        }
        return false
    }

    /// A client may send requests ahead, but not have them kept without limit: it learns by the end
    /// of the connection that they were not read.
    private func boundUnread() {
        let isBusy = phase == .responding || phase == .streaming || phase == .flushing
        guard isBusy, unread.count > registry.configuration.unreadByteLimit else { return }
        unread = []
        closesAfterAnswer = true
    }

    private func takeBody(_ bytes: Span<UInt8>) {
        guard registry.holdBody(bytes.count) else {
            return refuse(status: 503, reason: "too many requests are being read")
        }
        heldBodyByteCount += bytes.count
        appendToBody(bytes)
    }

    func releaseBody() {
        registry.releaseBody(heldBodyByteCount)
        heldBodyByteCount = 0
    }

    private func appendToBody(_ bytes: Span<UInt8>) {
        guard let head = request?.head else { return }
        var body: [UInt8] = []
        if let request { body = request.body }
        request = nil
        if body.isEmpty, let length = parser.announcedBodyLength {
            body.reserveCapacity(min(length, 65_536))
        }
        body.append(bytes)
        request = HTTPRequest(head: head, body: body)
    }

    private func admit(_ head: RequestHead, isAlone: Bool) throws(HTTPError) {
        request = HTTPRequest(head: head, body: [])
        isReplyToHead = head.method == "HEAD"
        isHTTP10 = head.minorVersion == 0
        closesAfterAnswer = !parser.keepsConnection
        bodyStartedAt = executor.now
        setDeadline(bodyStartedAt + registry.configuration.bodyTimeout)
        switch handler.admit(head, on: connectionInfo) {
        case .take(let limit): try take(bodyUpTo: limit, isAlone: isAlone)
        case .refuse(let response): refuseAdmission(response)
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

    private func take(bodyUpTo limit: Int, isAlone: Bool) throws(HTTPError) {
        parser.bodyByteLimit = min(limit, registry.configuration.limits.bodyByteLimit)
        if let length = parser.announcedBodyLength, length > parser.bodyByteLimit {
            throw .bodyTooLarge
        }
        if parser.expectsContinue, isAlone { transmit(Self.interimResponse, from: 0) }
    }

    /// Refuses after the body was dropped if it is small, else at once and for good.
    private func refuseAdmission(_ response: HTTPResponse) {
        let limit = registry.configuration.droppedBodyByteLimit
        if let length = parser.announcedBodyLength, length <= limit, !parser.expectsContinue {
            refusal = response
        } else {
            closesAfterAnswer = true
            answer(response)
        }
    }

    private func requestIsComplete() {
        guard let request else { return }
        if let refusal {
            self.refusal = nil
            self.request = nil
            answer(refusal)
        } else {
            handOver(request)
        }
    }

    func handOver(_ request: HTTPRequest) {
        releaseBody()
        self.request = request
        isReplyToHead = request.head.method == "HEAD"
        isHTTP10 = request.head.minorVersion == 0
        number += 1
        phase = .responding
        wasProbed = false
        setDeadline(output.isEmpty ? nil : executor.now + firstLookAtOutput)
        handler.respond(to: request, through: Exchange(through: self, number: number))
    }

    /// Answers what cannot be served and ends the connection: what follows cannot be trusted.
    func refuse(_ error: HTTPError) { refuse(status: error.status, reason: error.reason) }

    func refuse(status: Int, reason: String) {
        closesAfterAnswer = true
        let head = request?.head
        releaseBody()
        request = nil
        refusal = nil
        answer(handler.refusal(status: status, reason: reason, head: head))
    }
}
