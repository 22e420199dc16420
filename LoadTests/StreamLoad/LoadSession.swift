import HTTP2
import Reactor
import StreamBytes

/// A connection of HTTP/2 that several streams share; opened by the first of them, and again by the
/// next one after it was lost.
///
/// Proof for `@unchecked Sendable`: it is used by the thread of its lane's reactor alone.
final class LoadSession: SocketHandler, @unchecked Sendable {
    private let lane: LoadLane
    private let number: Int
    private var socket: (any StreamSocket)?
    private var session: HTTP2Session?
    private var isConnected = false
    private var waiting: [LoadStream] = []
    private var streams: [HTTP2StreamID: LoadStream] = [:]
    private var events: [HTTP2Event] = []
    private var output: [UInt8] = []
    private var flushIsDue = false

    init(_ lane: LoadLane, number: Int) {
        self.lane = lane
        self.number = number
    }

    /// Asks for an answer, once the connection is there.
    func open(_ stream: LoadStream) {
        if socket == nil { connect() }
        guard socket != nil else { return stream.connectionFailed(.refused) }
        waiting.append(stream)
        if isConnected { sendWaiting() }
    }

    /// Gives the answer up.
    func cancel(_ stream: LoadStream) {
        waiting.removeAll { $0 === stream }
        guard let id = streams.first(where: { $0.value === stream })?.key else { return }
        streams[id] = nil
        session?.reset(id, .cancel)
        requestFlush()
    }

    func close() {
        socket?.close()
        socket = nil
        session = nil
        isConnected = false
        output = []
    }

    private func connect() {
        var settings = HTTP2Settings()
        // Nothing is held back here.
        settings.connectionWindow = 16_777_216
        settings.streamWindow = 1_048_576
        do {
            session = try HTTP2Session(.client, settings)
            socket = try lane.connect(self, number: number)
        } catch {
            lane.tally.connectError = "\(error)"
            close()
        }
    }

    func socketIsReady(_ readiness: Readiness) {
        let isEnding = !readiness.isDisjoint(with: [.peerClosed, .hasFailed])
        if readiness.contains(.isWritable), !readiness.contains(.hasFailed) {
            isConnected = true
            sendWaiting()
            write()
        }
        if isEnding || readiness.contains(.isReadable) { read(toEnd: isEnding) }
    }

    private func sendWaiting() {
        guard let limit = session?.peerStreamLimit else { return }
        while !waiting.isEmpty, streams.count < limit {
            let stream = waiting.removeFirst()
            guard let id = session?.request(lane.request.http2Fields, body: lane.request.body)
            else { return lose(.reset) }
            streams[id] = stream
            stream.wasSent()
        }
        requestFlush()
    }

    private func read(toEnd: Bool) {
        var buffer = lane.reactor.takeScratch()
        defer { lane.reactor.returnScratch(buffer) }
        while let socket {
            switch socket.read(into: &buffer) {
            case .bytes(let count):
                take(buffer, count)
                if count < buffer.count, !toEnd { return }
            case .wouldBlock: return
            case .endOfStream: return lose(.reset)
            case .failed(let error): return lose(error)
            }
        }
    }

    private func take(_ buffer: [UInt8], _ count: Int) {
        let now = lane.reactor.preciseNow
        var arrived: [HTTP2Event] = []
        swap(&arrived, &events)
        let bytes = buffer.span.extracting(..<count)
        let isSound = (try? session?.receive(bytes, at: now, into: &arrived)) != nil
        for event in arrived { handle(event, bytes) }
        arrived.removeAll(keepingCapacity: true)
        swap(&arrived, &events)
        guard isSound else { return lose(.reset) }
        sendWaiting()
    }

    private func handle(_ event: HTTP2Event, _ bytes: Span<UInt8>) {
        switch event {
        case .head(let id, let head):
            if let status = head.status, status >= 200 {
                streams[id]?.received(status, head.fields)
            }
        case .data(let id, let range):
            session?.consume(range.count, on: id)
            streams[id]?.received(bytes.extracting(range))
        case .end(let id): streams.removeValue(forKey: id)?.ended()
        case .closed(let id, _, _): streams.removeValue(forKey: id)?.wasReset()
        case .windowGrew, .settingsChanged, .pong, .goAway: break
        }
    }

    private func requestFlush() {
        guard !flushIsDue else { return }
        flushIsDue = true
        lane.reactor.perform { [self] in
            flushIsDue = false
            write()
        }
    }

    private func write() {
        guard isConnected, let socket else { return }
        session?.appendOutput(to: &output, limit: 262_144)
        while !output.isEmpty {
            switch socket.write(output.span) {
            case .wrote(0): return
            case .wrote(let count): output.removeFirst(count)
            case .failed(let error): return lose(error)
            }
        }
        if session?.isOver == true { lose(.reset) }
    }

    private func lose(_ error: SocketError) {
        guard socket != nil else { return }
        close()
        let lost = waiting + streams.values
        waiting = []
        streams = [:]
        for stream in lost { stream.connectionFailed(error) }
    }
}
