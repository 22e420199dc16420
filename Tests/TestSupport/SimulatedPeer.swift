import Reactor
import StreamBytes

/// A scripted client or server for simulations: keeps what it reads, sends what it is told to.
///
/// Call its methods from tests or handlers of any executor. Proof for `@unchecked Sendable`: as for
/// `Simulation`.
package final class SimulatedPeer: SocketHandler, @unchecked Sendable {
    package let executor: SimulatedExecutor
    package private(set) var received: [UInt8] = []
    package private(set) var readiness: Readiness = []
    /// How the other side's sending ended; nil: it has not.
    package private(set) var end: ReadResult?
    package private(set) var failure: SocketError?
    package private(set) var socket: (any StreamSocket)?
    /// Whether bytes are left in the socket until it is false again.
    package private(set) var isPaused = false
    /// Called with each piece of bytes, after it was appended to `received`.
    package var onBytes: ((SimulatedPeer, ArraySlice<UInt8>) -> Void)?
    /// Called once, when the other side ended its sending or the connection broke.
    package var onEnd: ((SimulatedPeer) -> Void)?

    private var outgoing: [UInt8] = []
    private var endsAfterSending = false

    package init(on executor: SimulatedExecutor) { self.executor = executor }

    package func connect(to address: SocketAddress, security: ClientSecurity? = nil) {
        executor.enter {
            do throws(SocketError) {
                socket = try executor.connect(to: address, security: security, handler: self)
            } catch {
                failure = error
            }
        }
    }

    package func adopt(_ passed: consuming PassedSocket) {
        socket = executor.adopt(passed, handler: self)
    }

    /// Bytes that were given to `send` and not taken by the socket yet.
    package var unsentCount: Int { outgoing.count }

    package func send(_ bytes: [UInt8]) {
        outgoing += bytes
        executor.enter { flush() }
    }

    package func send(_ text: String) { send(Array(text.utf8)) }

    /// Ends the sending side when everything was sent.
    package func finishSending() {
        endsAfterSending = true
        executor.enter { flush() }
    }

    package func pause() { isPaused = true }

    package func resume() {
        isPaused = false
        executor.enter { drain() }
    }

    package func close() { executor.enter { socket?.close() } }

    package func reset() { executor.enter { socket?.reset() } }

    package func socketIsReady(_ readiness: Readiness) {
        self.readiness.formUnion(readiness)
        if !readiness.isDisjoint(with: [.isReadable, .hasFailed]) { drain() }
        if readiness.contains(.isWritable) { flush() }
    }

    private func drain() {
        guard let socket else { return }
        var buffer = executor.takeScratch()
        defer { executor.returnScratch(buffer) }
        while !isPaused {
            switch socket.read(into: &buffer) {
            case .wouldBlock: return
            case .bytes(let count):
                received += buffer[..<count]
                onBytes?(self, buffer[..<count])
            case let result:
                guard end == nil else { return }
                end = result
                onEnd?(self)
                return
            }
        }
    }

    private func flush() {
        while let socket, !outgoing.isEmpty {
            switch socket.write(outgoing.span) {
            case .wrote(0): return
            case .wrote(let count): outgoing.removeFirst(count)
            case .failed(let error):
                failure = failure ?? error
                outgoing = []
            }
        }
        if endsAfterSending, readiness.contains(.isWritable) { socket?.shutdownSending() }
    }
}

/// Makes a `SimulatedPeer` of every connection.
///
/// Proof for `@unchecked Sendable`: as for `Simulation`.
package final class SimulatedPeerAcceptor: ConnectionAcceptor, @unchecked Sendable {
    package private(set) var peers: [SimulatedPeer] = []
    private let prepare: (SimulatedPeer) -> Void

    /// Makes an acceptor.
    ///
    /// - Parameter prepare: called with each peer before it hears of anything.
    package init(_ prepare: @escaping (SimulatedPeer) -> Void = { _ in }) {
        self.prepare = prepare
    }

    package func accept(_ socket: consuming PassedSocket, on executor: any StreamExecutor) {
        guard let executor = executor as? SimulatedExecutor else {
            preconditionFailure("a simulated peer lives in a simulation")
        }
        let peer = SimulatedPeer(on: executor)
        prepare(peer)
        peer.adopt(socket)
        peers.append(peer)
    }
}
