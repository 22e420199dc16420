import Reactor
import StreamBytes

/// A reactor without a thread, whose loop is the test; it has one socket at a time.
///
/// Proof for `@unchecked Sendable`: each test makes its own and uses it from one thread.
final class ScriptedReactor: StreamExecutor, @unchecked Sendable {
    let index: Int
    private(set) var now = MonotonicTime(nanoseconds: 0)
    private(set) var armed: [TimerID: MonotonicTime] = [:]
    private var timerHandlers: [TimerID: any TimerHandler] = [:]
    private var work: [@Sendable () -> Void] = []
    private var timerCount: Int32 = 0
    private var scratch: [[UInt8]] = []
    private(set) var socket = ScriptedSocket()

    init(index: Int = 0) { self.index = index }

    var isCurrent: Bool { true }
    var preciseNow: MonotonicTime { now }
    var wallClock: WallTime { WallTime(milliseconds: 0) }
    var timerHandlerCount: Int { timerHandlers.count }

    func enqueue(_ job: consuming ExecutorJob) { preconditionFailure("no task belongs here") }
    func checkIsolated() {}
    func isIsolatingCurrentContext() -> Bool? { true }
    func randomBits() -> UInt64 { 4 }
    func perform(_ work: @escaping @Sendable () -> Void) { self.work.append(work) }

    var hasWork: Bool { !work.isEmpty }

    func runWork() {
        while !work.isEmpty { work.removeFirst()() }
    }

    /// Runs rounds of work; what a round adds waits for the next.
    func runWork(turns: Int) {
        for _ in 0..<turns {
            let round = work
            work = []
            for work in round { work() }
        }
    }

    func makeTimer(for handler: any TimerHandler) -> TimerID {
        timerCount += 1
        let timer = TimerID(slot: timerCount, generation: 0)
        timerHandlers[timer] = handler
        return timer
    }

    func setTimer(_ timer: TimerID, at deadline: MonotonicTime?) { armed[timer] = deadline }

    func releaseTimer(_ timer: TimerID) {
        armed[timer] = nil
        timerHandlers[timer] = nil
    }

    /// Lets time pass; timers fire at their own instants.
    func advance(by duration: Duration) {
        let end = now + duration
        while let next = armed.filter({ $0.value <= end }).min(by: { $0.value < $1.value }) {
            now = max(now, next.value)
            armed[next.key] = nil
            timerHandlers[next.key]?.timerFired(next.key)
        }
        now = end
    }

    func connect(
        to address: SocketAddress,
        security: ClientSecurity?,
        handler: any SocketHandler
    ) throws(SocketError) -> any StreamSocket { throw .refused }

    func adopt(
        _ passed: consuming PassedSocket,
        handler: any SocketHandler
    ) -> any StreamSocket {
        socket = ScriptedSocket()
        socket.handler = handler
        socket.input = passed.unread
        return socket
    }

    /// TLS of which only the opening is played; the bytes stay plain.
    func adopt(
        _ passed: consuming PassedSocket,
        security: ServerSecurity,
        handler: any SocketHandler
    ) -> any StreamSocket {
        let adopted = adopt(passed, handler: handler)
        socket.isOpening = true
        return adopted
    }

    func takeScratch() -> [UInt8] {
        scratch.popLast() ?? [UInt8](repeating: 0, count: 65_536)
    }

    func returnScratch(_ buffer: consuming [UInt8]) {
        precondition(buffer.count == 65_536, "scratch buffers keep their size")
        scratch.append(buffer)
    }
}

/// The server's end of a connection whose other end is the test.
///
/// Proof for `@unchecked Sendable`: as for its reactor.
final class ScriptedSocket: StreamSocket, @unchecked Sendable {
    fileprivate(set) var handler: (any SocketHandler)?
    fileprivate var input: [UInt8] = []
    private var readStart = 0
    private var inputHasEnded = false
    /// Each write that took something, as text.
    private(set) var writes: [String] = []
    /// All of them, as they went out.
    private(set) var sentBytes: [UInt8] = []
    /// How many bytes the kernel takes before the client reads again.
    var room = Int.max
    var acknowledged: UInt64 = 0
    private var failure: SocketError?
    private(set) var isClosed = false
    private(set) var wasReset = false
    private(set) var sendingHasEnded = false
    private(set) var readCount = 0
    fileprivate(set) var isOpening = false

    let peer = SocketAddress.v4(0x7f00_0001, port: 1)
    let local = SocketAddress.v4(0x7f00_0001, port: 2)

    var sent: String { writes.joined() }

    // MARK: What the client does

    func receive(_ text: String) { receive(Array(text.utf8)) }

    func receive(_ bytes: [UInt8]) {
        input += bytes
        handler?.socketIsReady(.isReadable)
    }

    /// What another actor had read is there to be read again.
    func announceInput() { handler?.socketIsReady(.isReadable) }

    func finishHandshake() {
        isOpening = false
        handler?.socketIsReady([.isReadable, .isWritable])
    }

    func closeSendingSide() {
        inputHasEnded = true
        handler?.socketIsReady([.isReadable, .peerClosed])
    }

    func breakDown() {
        failure = .reset
        handler?.socketIsReady([.isReadable, .hasFailed])
    }

    /// The next write finds the connection broken, of which no event told.
    func breakSilently() { failure = .reset }

    func makeRoom(_ byteCount: Int) {
        room = byteCount
        handler?.socketIsReady(.isWritable)
    }

    // MARK: StreamSocket

    func read(into buffer: inout [UInt8]) -> ReadResult {
        readCount += 1
        if let failure { return .failed(failure) }
        guard !input.isEmpty, !isOpening else { return inputHasEnded ? .endOfStream : .wouldBlock }
        let part = input[readStart...].prefix(buffer.count)
        buffer.replaceSubrange(0..<part.count, with: part)
        readStart += part.count
        if readStart == input.count {
            input = []
            readStart = 0
        }
        return .bytes(part.count)
    }

    func write(_ bytes: Span<UInt8>) -> WriteResult {
        precondition(!isClosed && !sendingHasEnded, "nothing is written behind the end")
        if let failure { return .failed(failure) }
        let count = isOpening ? 0 : min(room, bytes.count)
        guard count > 0 else { return .wrote(0) }
        if room != .max { room -= count }
        writes.append(String(repairing: bytes.extracting(0..<count)))
        sentBytes.append(bytes.extracting(0..<count))
        return .wrote(count)
    }

    func shutdownSending() { sendingHasEnded = true }

    func close() { isClosed = true }

    func reset() {
        isClosed = true
        wasReset = true
    }

    func detach(unread: [UInt8]) -> PassedSocket {
        isClosed = true
        return PassedSocket(descriptor: -1, peer: peer, local: local, unread: unread)
    }

    func statistics() -> TCPStatistics? {
        guard !isClosed else { return nil }
        var statistics = TCPStatistics()
        statistics.bytesAcknowledged = acknowledged
        return statistics
    }
}
