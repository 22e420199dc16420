import Glibc
import Reactor
import StreamBytes
import Testing

/// The loopback with a port that the system chooses.
let anyPort = SocketAddress.v4(0x7f00_0001, port: 0)

/// Runs `body` with a group of running reactors, and stops them.
func withReactors(
    _ count: Int = 1,
    _ body: (ReactorGroup) async throws -> Void
) async throws {
    let group = try ReactorGroup(count: count)
    try group.start()
    do {
        try await body(group)
    } catch {
        group.stop(within: .milliseconds(100))
        throw error
    }
    group.stop(within: .milliseconds(200))
}

extension StreamExecutor {
    /// Runs `work` on the reactor and hands its result back.
    func run<Value: Sendable>(_ work: @escaping @Sendable () -> Value) async -> Value {
        await withCheckedContinuation { continuation in
            perform { continuation.resume(returning: work()) }
        }
    }
}

/// Waits until the condition holds; false when it does not within ten seconds.
func eventually(_ condition: () async -> Bool) async -> Bool {
    for _ in 0..<5_000 {
        if await condition() { return true }
        try? await Task.sleep(for: .milliseconds(2))
    }
    return false
}

/// One side of a connection under test: keeps what it reads, sends what it is told to.
///
/// Proof for `@unchecked Sendable`: `socket` is set and used on the reactor; the rest is guarded.
final class Side: SocketHandler, @unchecked Sendable {
    struct Seen: Sendable {
        var bytes: [UInt8] = []
        var readiness: Readiness = []
        var end: ReadResult?
        var sent = 0
        var failure: SocketError?
    }

    let executor: any StreamExecutor
    private var socket: (any StreamSocket)?
    private var outgoing: [UInt8] = []
    private var isPaused = false
    private let trustsShortReads: Bool
    private let state = Guarded(Seen())
    let echoes: Bool

    /// - Parameters:
    ///   - executor: the reactor of its socket.
    ///   - echoes: whether it sends what it reads.
    ///   - trustsShortReads: takes a read that left room for one that emptied the socket.
    init(on executor: any StreamExecutor, echoes: Bool = false, trustsShortReads: Bool = false) {
        self.executor = executor
        self.echoes = echoes
        self.trustsShortReads = trustsShortReads
    }

    var seen: Seen { state.withLock { $0 } }

    /// Runs `work` with the socket on the reactor.
    @discardableResult
    func with<Value: Sendable>(
        _ work: @escaping @Sendable (any StreamSocket) -> Value
    ) async -> Value? {
        await executor.run { self.socket.map(work) }
    }

    func connect(
        to address: SocketAddress,
        security: ClientSecurity? = nil
    ) async {
        await executor.run {
            do throws(SocketError) {
                self.socket = try self.executor.connect(
                    to: address,
                    security: security,
                    handler: self
                )
            } catch {
                self.state.withLock { $0.failure = error }
            }
        }
    }

    /// Call on the reactor.
    func take(_ socket: any StreamSocket) { self.socket = socket }

    func send(_ bytes: [UInt8]) async {
        await executor.run {
            self.outgoing += bytes
            self.flush()
        }
    }

    func pause(_ isPaused: Bool) async {
        await executor.run {
            self.isPaused = isPaused
            if !isPaused { self.drain() }
        }
    }

    func close() async { await with { $0.close() } }

    func socketIsReady(_ readiness: Readiness) {
        state.withLock { $0.readiness.formUnion(readiness) }
        if readiness.contains(.isReadable) || readiness.contains(.hasFailed) { drain() }
        if readiness.contains(.isWritable) { flush() }
    }

    private func drain() {
        guard let socket, !isPaused else { return }
        var buffer = executor.takeScratch()
        defer { executor.returnScratch(buffer) }
        while true {
            let result = socket.read(into: &buffer)
            guard case .bytes(let count) = result else {
                if result != .wouldBlock { state.withLock { $0.end = $0.end ?? result } }
                return
            }
            state.withLock { $0.bytes += buffer[..<count] }
            if echoes {
                outgoing += buffer[..<count]
                flush()
            }
            if trustsShortReads, count < buffer.count { return }
        }
    }

    private func flush() {
        guard let socket else { return }
        while !outgoing.isEmpty {
            switch socket.write(outgoing.span) {
            case .wrote(0): return
            case .wrote(let count):
                outgoing.removeFirst(count)
                state.withLock { $0.sent += count }
            case .failed(let error):
                return state.withLock { $0.failure = error }
            }
        }
    }
}

/// Accepts into `Side`s.
final class SideAcceptor: ConnectionAcceptor {
    let echoes: Bool
    private let accepted = Guarded<[Side]>([])

    init(echoes: Bool = false) { self.echoes = echoes }

    var sides: [Side] { accepted.withLock { $0 } }

    func accept(_ socket: consuming PassedSocket, on executor: any StreamExecutor) {
        precondition(executor.isCurrent)
        let side = Side(on: executor, echoes: echoes)
        side.take(executor.adopt(socket, handler: side))
        accepted.withLock { $0.append(side) }
    }

    func closeAll() async { for side in sides { await side.close() } }
}

/// A folder that exists while `body` runs.
func withTemporaryFolder(_ body: (String) async throws -> Void) async throws {
    let name = "weir-reactor-\(getpid())-\(UInt64.random(in: 0 ... .max))"
    let folder = "/tmp/" + name
    try #require(unsafe mkdir(folder, 0o700) == 0)
    do {
        try await body(folder)
    } catch {
        removeFolder(folder)
        throw error
    }
    removeFolder(folder)
}

private func removeFolder(_ path: String) {
    if let folder = unsafe opendir(path) {
        while let entry = unsafe readdir(folder) {
            let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) {
                unsafe $0.withMemoryRebound(to: CChar.self, capacity: 256) {
                    unsafe String(cString: $0)
                }
            }
            unsafe unlink("\(path)/\(name)")
        }
        unsafe closedir(folder)
    }
    unsafe rmdir(path)
}
