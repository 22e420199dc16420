import Reactor
import StreamBytes

/// Stands between a client and a server on a Unix socket, and spoils what the server sends.
final class FaultRelay: ConnectionAcceptor {
    /// What becomes of some bytes of the server.
    enum Fate: Sendable {
        case pass
        /// They leave one by one, each in a write of its own.
        case dribble
        /// Only so many of them leave, then both sides are closed.
        case cut(after: Int)
        /// Other bytes stand before them.
        case precede(by: [UInt8])
        /// They are kept, and nothing leaves any more.
        case hang
    }

    private let server: SocketAddress
    private let fate: @Sendable (_ count: Int) -> Fate

    /// - Parameters:
    ///   - server: where the bytes go.
    ///   - fate: asked for each piece that the server sends, with its length.
    init(to server: SocketAddress, fate: @escaping @Sendable (_ count: Int) -> Fate) {
        self.server = server
        self.fate = fate
    }

    func accept(_ socket: consuming PassedSocket, on executor: any StreamExecutor) {
        let pair = RelayPair(executor, fate)
        let client = executor.adopt(socket, handler: pair.client)
        pair.client.socket = client
        do throws(SocketError) {
            pair.server.socket = try executor.connect(
                to: server,
                security: nil,
                handler: pair.server
            )
        } catch {
            client.close()
            pair.client.socket = nil
        }
    }
}

/// Both sides of one connection.
///
/// Proof for `@unchecked Sendable`: it is used by its reactor's thread alone.
private final class RelayPair: @unchecked Sendable {
    let client: RelaySide
    let server: RelaySide

    init(_ executor: any StreamExecutor, _ fate: @escaping @Sendable (Int) -> FaultRelay.Fate) {
        client = RelaySide(executor) { _ in .pass }
        server = RelaySide(executor, fate)
        client.other = server
        server.other = client
    }
}

/// Proof for `@unchecked Sendable`: it is used by its reactor's thread alone.
private final class RelaySide: SocketHandler, @unchecked Sendable {
    var socket: (any StreamSocket)?
    /// Kept by the reactor as long as its socket is open.
    weak var other: RelaySide?
    private let executor: any StreamExecutor
    private let fate: (Int) -> FaultRelay.Fate
    private var outgoing: [UInt8] = []
    private var hangs = false

    init(_ executor: any StreamExecutor, _ fate: @escaping (Int) -> FaultRelay.Fate) {
        self.executor = executor
        self.fate = fate
    }

    func socketIsReady(_ readiness: Readiness) {
        if readiness.contains(.isWritable) { flush() }
        var buffer = executor.takeScratch()
        defer { executor.returnScratch(buffer) }
        while let socket, !hangs {
            switch socket.read(into: &buffer) {
            case .bytes(let count): forward(Array(buffer[..<count]))
            case .wouldBlock: return
            case .endOfStream, .failed: return closeBoth()
            }
        }
    }

    private func forward(_ bytes: [UInt8]) {
        switch fate(bytes.count) {
        case .pass: other?.send(bytes)
        case .dribble: for byte in bytes { other?.send([byte]) }
        case .cut(let count):
            other?.send(Array(bytes.prefix(count)))
            closeBoth()
        case .precede(let garbage): other?.send(garbage + bytes)
        case .hang: hangs = true
        }
    }

    private func send(_ bytes: [UInt8]) {
        outgoing += bytes
        flush()
    }

    private func flush() {
        while !outgoing.isEmpty, let socket {
            guard case .wrote(let count) = socket.write(outgoing.span), count > 0 else { return }
            outgoing.removeFirst(count)
        }
    }

    private func closeBoth() {
        for side in [self, other] {
            side?.socket?.close()
            side?.socket = nil
        }
    }
}
