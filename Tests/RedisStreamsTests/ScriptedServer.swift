import Reactor
import RedisStreams
import StreamBytes
import TestSupport

/// A server that answers every read with the next of some prepared bytes; with none left it closes.
final class ScriptedServer: ConnectionAcceptor {
    private let answers: Guarded<[[UInt8]]>
    private let connectionCount = Guarded(0)

    private let closesAfterLast: Bool

    init(_ answers: [String], closesAfterLast: Bool = false) {
        self.answers = Guarded(answers.map { Array($0.utf8) })
        self.closesAfterLast = closesAfterLast
    }

    var connections: Int { connectionCount.withLock(\.self) }

    func accept(_ socket: consuming PassedSocket, on executor: any StreamExecutor) {
        connectionCount.withLock { $0 += 1 }
        let peer = ScriptedPeer(executor) { [answers, closesAfterLast] in
            answers.withLock { answers in
                guard !answers.isEmpty else { return nil }
                let answer = answers.removeFirst()
                return (answer, closesAfterLast && answers.isEmpty)
            }
        }
        peer.start(executor.adopt(socket, handler: peer))
    }
}

/// One connection of the scripted server.
///
/// Proof for `@unchecked Sendable`: it is used by its
/// reactor's thread alone.
private final class ScriptedPeer: SocketHandler, @unchecked Sendable {
    private let executor: any StreamExecutor
    private let nextAnswer: () -> ([UInt8], isLast: Bool)?
    private var socket: (any StreamSocket)?

    init(_ executor: any StreamExecutor, nextAnswer: @escaping () -> ([UInt8], isLast: Bool)?) {
        self.executor = executor
        self.nextAnswer = nextAnswer
    }

    func start(_ socket: any StreamSocket) { self.socket = socket }

    func socketIsReady(_ readiness: Readiness) {
        guard let socket, readiness.contains(.isReadable) else { return }
        var buffer = executor.takeScratch()
        defer { executor.returnScratch(buffer) }
        while true {
            switch socket.read(into: &buffer) {
            case .bytes: answer()
            case .wouldBlock: return
            case .endOfStream, .failed: return close()
            }
        }
    }

    private func answer() {
        guard let answer = nextAnswer() else { return close() }
        _ = socket?.write(answer.0.span)
        if answer.isLast { close() }
    }

    private func close() {
        socket?.close()
        socket = nil
    }
}

/// Runs `body` with a reactor of its own and stops it afterwards.
func withReactor<Result>(
    _ body: (ReactorGroup, ReactorThread) async throws -> Result
) async throws -> Result {
    let group = try ReactorGroup(count: 1)
    try group.start()
    do {
        let result = try await body(group, group.reactors[0])
        group.stop()
        return result
    } catch {
        group.stop()
        throw error
    }
}

/// Lends a connection to `body`, on a reactor of its own, and closes it.
func withConnection<Result>(
    to url: String,
    limits: RedisLimits = RedisLimits(),
    _ body: (RedisConnection) async throws -> Result
) async throws -> Result {
    try await withReactor { _, reactor in
        let connection = RedisConnection(
            to: try RedisURL(parsing: url),
            on: reactor,
            limits: limits
        )
        do {
            let result = try await body(connection)
            await connection.close()
            return result
        } catch {
            await connection.close()
            throw error
        }
    }
}
