import HTTPWire
import Reactor
import StreamBytes
import Synchronization

/// The connections of one server, to be counted and ended; and the buffers they share.
package final class ConnectionRegistry: Sendable {
    /// What belongs to one reactor.
    private struct Lane {
        var connections: [ObjectIdentifier: any ServerConnection] = [:]
        var buffer: [UInt8] = []
    }

    package let configuration: ServerConfiguration

    private let lanes: [Guarded<Lane>]
    private let connectionCount = Atomic<Int>(0)
    private let refusedConnectionCount = Atomic<Int>(0)
    private let unfinishedBodyByteCount = Atomic<Int>(0)
    private let isDraining = Atomic<Bool>(false)
    private let errors = Guarded<[String: Int]>([:])

    /// Makes a registry without connections.
    ///
    /// - Parameters:
    ///   - configuration: for all connections.
    ///   - reactorCount: how many reactors there are; their `index` is below it.
    package init(configuration: ServerConfiguration, reactorCount: Int) {
        precondition(reactorCount > 0, "a server has a reactor")
        self.configuration = configuration
        lanes = (0..<reactorCount).map { _ in Guarded(Lane()) }
    }

    /// How many connections are open; may be asked from any thread.
    package var count: Int { connectionCount.load(ordering: .relaxed) }

    /// How many connections were refused because too many were open; may be asked from any thread.
    package var refusedCount: Int { refusedConnectionCount.load(ordering: .relaxed) }

    /// How many connections of HTTP/2 were ended for an error of the client, by what it was.
    ///
    /// That is a flood of something, or the code of RFC 9113. May be asked from any thread.
    package var http2ErrorCounts: [String: Int] { errors.withLock { $0 } }

    /// Takes a connection that was accepted; call on the reactor that shall own it.
    ///
    /// - Parameters:
    ///   - socket: nothing was read from it yet.
    ///   - executor: the reactor.
    ///   - security: nil for plain HTTP; with it TLS comes first, within `headTimeout`.
    ///   - handler: answers its requests.
    package func accept(
        _ socket: consuming PassedSocket,
        on executor: any StreamExecutor,
        security: ServerSecurity? = nil,
        handler: any RequestHandler
    ) {
        guard count < configuration.connectionLimit else {
            return refuse(socket, on: executor, isSecure: security != nil, handler)
        }
        _ = ClientConnection(
            socket: socket,
            on: executor,
            security: security,
            handler: handler,
            registry: self
        )
    }

    private func refuse(
        _ socket: consuming PassedSocket,
        on executor: any StreamExecutor,
        isSecure: Bool,
        _ handler: any RequestHandler
    ) {
        refusedConnectionCount.add(1, ordering: .relaxed)
        // A handshake is dear, and without one there is nothing that the client would understand.
        guard !isSecure else { return executor.adopt(socket, handler: Deaf()).close() }
        let response = handler.refusal(
            status: 503,
            reason: "too many connections are open",
            head: nil
        )
        var bytes: [UInt8] = []
        try? completing(response.head, isSecure: isSecure).encode(
            into: &bytes,
            body: .counted(response.body.count),
            connection: "close"
        )
        let socket = executor.adopt(socket, handler: Deaf())
        if !bytes.isEmpty { _ = socket.write((bytes + response.body).span) }
        socket.close()
    }

    /// Ends idle connections now and busy ones after their answer, also those accepted later.
    ///
    /// Call from any thread; `count` says when it is done.
    package func drain() {
        isDraining.store(true, ordering: .relaxed)
        forEachConnection { $0.drain() }
    }

    /// Ends every connection now; call from any thread.
    package func abort() { forEachConnection { $0.abort() } }

    private func forEachConnection(_ action: @escaping @Sendable (any ServerConnection) -> Void) {
        for lane in lanes {
            let connections = lane.withLock { Array($0.connections.values) }
            for connection in connections {
                connection.executor.perform { action(connection) }
            }
        }
    }

    // MARK: For connections

    /// Returns the head of an answer with what the server itself adds.
    func completing(_ head: ResponseHead, isSecure: Bool) -> ResponseHead {
        configuration.securityFields?.completing(head, isSecure: isSecure) ?? head
    }

    /// Counts bytes of a body that is being read.
    ///
    /// - Returns: whether there is room for them; they are counted only then.
    func holdBody(_ byteCount: Int) -> Bool {
        let sum = unfinishedBodyByteCount.add(byteCount, ordering: .relaxed).newValue
        if sum <= configuration.unfinishedBodyByteLimit { return true }
        releaseBody(byteCount)
        return false
    }

    func releaseBody(_ byteCount: Int) {
        unfinishedBodyByteCount.subtract(byteCount, ordering: .relaxed)
    }

    func countError(_ name: String) { errors.withLock { $0[name, default: 0] += 1 } }

    var drains: Bool { isDraining.load(ordering: .relaxed) }

    func add(_ connection: any ServerConnection) {
        connectionCount.add(1, ordering: .relaxed)
        lanes[connection.executor.index].withLock {
            $0.connections[ObjectIdentifier(connection)] = connection
        }
    }

    func remove(_ connection: any ServerConnection) {
        let isKnown = lanes[connection.executor.index].withLock {
            $0.connections.removeValue(forKey: ObjectIdentifier(connection)) != nil
        }
        if isKnown { connectionCount.subtract(1, ordering: .relaxed) }
    }

    /// Lends the reactor's buffer for building a write; empty, with room.
    func takeBuffer(on executor: any StreamExecutor) -> [UInt8] {
        lanes[executor.index].withLock { lane in
            var buffer: [UInt8] = []
            swap(&buffer, &lane.buffer)
            return buffer
        }
    }

    func returnBuffer(_ buffer: consuming [UInt8], on executor: any StreamExecutor) {
        buffer.removeAll(keepingCapacity: true)
        guard buffer.capacity <= 4 * configuration.writeByteLimit + 4_096 else { return }
        lanes[executor.index].withLock { swap(&buffer, &$0.buffer) }
    }
}

/// Hears nothing: the socket is closed before anything can happen on it.
private final class Deaf: SocketHandler {
    func socketIsReady(_ readiness: Readiness) {}
}
