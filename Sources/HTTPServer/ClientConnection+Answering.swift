import HTTPWire
import Reactor
import StreamBytes

extension ClientConnection {
    /// How many pulls one turn makes while the source has more.
    private static let pullLimit = 16

    // MARK: Whole answers

    func answer(_ response: HTTPResponse) {
        beginAnswer()
        if response.closesConnection { closesAfterAnswer = true }
        let hasBody = response.head.allowsBody
        var bytes: [UInt8] = []
        bytes.reserveCapacity(512 + response.body.count)
        do throws(HTTPError) {
            try registry.completing(response.head, isSecure: isSecure).encode(
                into: &bytes,
                body: hasBody ? .counted(response.body.count) : .none,
                connection: connectionOption
            )
        } catch {
            return answerFailed()
        }
        if hasBody, !isReplyToHead { bytes.append(contentsOf: response.body) }
        phase = .flushing
        transmit(bytes, from: 0)
        if phase == .flushing, output.isEmpty { answerIsOut() }
    }

    /// Tells a client that came without TLS what is wrong, in the only form that it understands.
    func refusePlainText() {
        let text = "This port speaks HTTPS; the request came as plain HTTP.\n"
        let head =
            "HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain\r\n"
            + "content-length: \(text.utf8.count)\r\nconnection: close\r\n\r\n"
        closesAfterAnswer = true
        phase = .flushing
        transmit(Array((head + text).utf8), from: 0)
        if phase == .flushing, output.isEmpty { answerIsOut() }
    }

    /// The handler made a head that would be another message on the wire.
    private func answerFailed() {
        closesAfterAnswer = true
        phase = .flushing
        let head =
            "HTTP/1.1 500 Internal Server Error\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
        transmit(Array(head.utf8), from: 0)
        if phase == .flushing, output.isEmpty { answerIsOut() }
    }

    private func beginAnswer() {
        onClientGone = nil
        request = nil
        if isDraining { closesAfterAnswer = true }
    }

    private var connectionOption: String? {
        closesAfterAnswer ? "close" : isHTTP10 ? "keep-alive" : nil
    }

    // MARK: Streams

    func startAnswer(_ head: ResponseHead, _ body: any BodySource) {
        beginAnswer()
        if isHTTP10 { closesAfterAnswer = true }
        phase = .streaming
        source = body
        startedHead = head
        sourceHasFinished = false
        pull()
    }

    /// Moves bytes from the source to the socket until one of them has no more to give or take.
    func pull() {
        guard phase == .streaming, output.isEmpty else { return }
        guard !isPulling else {
            pullsAgain = true
            return
        }
        isPulling = true
        defer { isPulling = false }
        var buffer = registry.takeBuffer(on: executor)
        var pullCount = 0
        repeat {
            pullsAgain = false
            guard pullCount < Self.pullLimit else {
                executor.perform { self.assumeIsolated { $0.pull() } }
                break
            }
            pullCount += 1
            pullOnce(&buffer)
        } while pullsAgain && phase == .streaming
        registry.returnBuffer(consume buffer, on: executor)
    }

    private func pullOnce(_ buffer: inout [UInt8]) {
        guard output.isEmpty, !sourceHasFinished, let source else { return }
        buffer.removeAll(keepingCapacity: true)
        guard let isChunked = encodeStartedHead(into: &buffer) else { return }
        let headEnd = buffer.count
        if isChunked { buffer.append(contentsOf: Self.chunkHeaderRoom) }
        let dataStart = buffer.count
        var progress = BodyProgress.finished
        if !isReplyToHead {
            let limit = registry.configuration.writeByteLimit
            progress = source.nextBytes(into: &buffer, limit: limit)
        }
        guard phase == .streaming else { return }
        let start = Self.frame(&buffer, headEnd, dataStart)
        note(progress)
        if progress.isFinished, isChunked, !isReplyToHead {
            buffer.append(contentsOf: ChunkHeader.last)
        }
        send(buffer, from: start, progress)
    }

    private static let chunkHeaderRoom = [UInt8](repeating: 0, count: ChunkHeader.room)

    /// Appends the head if it is still to be sent.
    ///
    /// - Returns: whether the body is chunked; nil if the answer failed.
    private func encodeStartedHead(into buffer: inout [UInt8]) -> Bool? {
        guard let head = startedHead else { return !isHTTP10 }
        startedHead = nil
        let framing: BodyFraming = !head.allowsBody ? .none : isHTTP10 ? .untilClose : .chunked
        // A status without a body ends like the reply to a HEAD.
        if framing == .none { isReplyToHead = true }
        do throws(HTTPError) {
            try registry.completing(head, isSecure: isSecure)
                .encode(into: &buffer, body: framing, connection: connectionOption)
        } catch {
            let source = source
            self.source = nil
            answerFailed()
            source?.responseEnded(.closedHere)
            return nil
        }
        return !isHTTP10
    }

    /// Puts the chunk's header and end around the data.
    ///
    /// - Returns: where the bytes to be sent begin; a head before them is moved up to them.
    private static func frame(
        _ buffer: inout [UInt8],
        _ headEnd: Int,
        _ dataStart: Int
    ) -> Int {
        guard dataStart > headEnd else { return 0 }
        let size = buffer.count - dataStart
        guard size > 0 else {
            buffer.removeLast(dataStart - headEnd)
            return 0
        }
        let start = ChunkHeader.write(size, into: &buffer, before: dataStart)
        buffer.append(.carriageReturn)
        buffer.append(.lineFeed)
        let gap = start - headEnd
        var index = headEnd
        while index > 0 {
            index -= 1
            buffer[index + gap] = buffer[index]
        }
        return gap
    }

    private func note(_ progress: BodyProgress) {
        switch progress {
        case .pending: break
        case .more: pullsAgain = true
        case .finished, .aborted: sourceHasFinished = true
        }
    }

    private func send(_ buffer: [UInt8], from start: Int, _ progress: BodyProgress) {
        if start < buffer.count {
            transmit(buffer, from: start)
            if phase == .streaming, output.isEmpty {
                source?.everythingWasSent(at: executor.preciseNow)
            }
        }
        guard phase == .streaming else { return }
        if case .aborted = progress { return end(.closedHere, resets: isHTTP10 || !output.isEmpty) }
        if sourceHasFinished, output.isEmpty { answerIsOut() }
    }

    // MARK: The line

    /// Writes once and keeps what the kernel does not take.
    func transmit(_ bytes: [UInt8], from start: Int) {
        guard output.isEmpty else {
            output.append(contentsOf: bytes[start...])
            return
        }
        guard let socket else { return }
        switch socket.write(bytes.span.extracting(start..<bytes.count)) {
        case .wrote(let count):
            guard start + count < bytes.count else { return }
            output = Array(bytes[(start + count)...])
            outputStart = 0
            progressAt = executor.now
            setDeadline(progressAt + firstLookAtOutput)
        case .failed: connectionFailed()
        }
    }

    /// After what time it is first asked whether the client takes what waits for it.
    ///
    /// What is on its way to the client is acknowledged soon; that is no sign of life.
    var firstLookAtOutput: Duration {
        min(.seconds(1), registry.configuration.stuckTimeout / 3)
    }

    /// The socket takes bytes again.
    func flush() {
        guard !output.isEmpty, let socket else { return }
        switch socket.write(output.span.extracting(outputStart..<output.count)) {
        case .wrote(let count):
            outputStart += count
            guard outputStart == output.count else {
                if count > 0 { clientMadeProgress() }
                return
            }
            output = []
            outputStart = 0
            setDeadline(phase == .reading ? bodyDeadline() : nil)
            lineIsIdle()
        case .failed: connectionFailed()
        }
    }

    private func clientMadeProgress() {
        progressAt = executor.now
        setDeadline(progressAt + registry.configuration.stuckTimeout / 3)
    }

    private func lineIsIdle() {
        switch phase {
        case .flushing: answerIsOut()
        case .streaming:
            source?.everythingWasSent(at: executor.preciseNow)
            guard phase == .streaming else { return }
            if sourceHasFinished { answerIsOut() } else { pull() }
        case .handshaking, .reading, .responding, .lingering, .closed: break
        }
    }

    /// The kernel has the whole answer.
    private func answerIsOut() {
        let ended = source
        source = nil
        phase = .flushing
        ended?.responseEnded(.delivered)
        guard phase == .flushing else { return }
        if closesAfterAnswer { finishSending() } else { waitForRequest() }
    }
}

extension ResponseHead {
    /// Whether RFC 9110 lets an answer with this status have a body.
    var allowsBody: Bool { status >= 200 && status != 204 && status != 304 }
}

extension BodyProgress {
    fileprivate var isFinished: Bool {
        if case .finished = self { return true }
        return false
    }
}
