import Reactor
import StreamBytes

/// A client that speaks TLS, or only begins to.
///
/// Proof for `@unchecked Sendable`: `socket` and `unsent` are used on the reactor; the rest is
/// guarded.
final class SecureClient: SocketHandler, @unchecked Sendable {
    private struct State {
        var received = ""
        var end: ReadResult?
    }

    private let reactor: any StreamExecutor
    private var socket: (any StreamSocket)?
    private var unsent: [UInt8] = []
    private let state = Guarded(State())

    init(_ address: SocketAddress, trusting authorityFile: String, on reactor: any StreamExecutor) {
        self.reactor = reactor
        let security = ClientSecurity(serverName: "good.example", authorityFile: authorityFile)
        reactor.perform {
            self.socket = try? reactor.connect(to: address, security: security, handler: self)
        }
    }

    var end: ReadResult? { state.withLock { $0.end } }

    func send(_ text: String) {
        reactor.perform {
            self.unsent += Array(text.utf8)
            self.write()
        }
    }

    /// Closes the sending side of TLS and of the connection, behind what was sent.
    func endSending() { reactor.perform { self.socket?.shutdownSending() } }

    /// Whether `text` comes in time; what came up to it is forgotten.
    func receives(_ text: String) async -> Bool {
        await eventually {
            self.state.withLock { state in
                guard let found = state.received.ranges(of: text).first else { return false }
                state.received = String(state.received[found.upperBound...])
                return true
            }
        }
    }

    /// Call before the reactor stops.
    func close() { reactor.perform { self.socket?.close() } }

    func socketIsReady(_ readiness: Readiness) {
        write()
        guard let socket else { return }
        var buffer = reactor.takeScratch()
        defer { reactor.returnScratch(buffer) }
        while end == nil {
            switch socket.read(into: &buffer) {
            case .bytes(let count):
                state.withLock {
                    $0.received += String(repairing: buffer.span.extracting(..<count))
                }
            case .wouldBlock: return
            case let end: state.withLock { $0.end = end }
            }
        }
    }

    private func write() {
        while !unsent.isEmpty, case .wrote(let count)? = socket?.write(unsent.span), count > 0 {
            unsent.removeFirst(count)
        }
    }
}
