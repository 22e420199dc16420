import CLinux
import Glibc
import StreamBytes

/// Told of new connections, on the reactor that shall own them.
package protocol ConnectionAcceptor: Sendable {
    /// Takes the connection: adopts it on `executor`, at once.
    func accept(_ socket: consuming PassedSocket, on executor: any StreamExecutor)
}

/// Why an address cannot be listened on.
package enum ListenError: Error, Equatable, Sendable, CustomStringConvertible {
    case failed(SocketAddress, SocketError)
    /// The path of a Unix socket is longer than the system allows; both in bytes.
    case pathTooLong(String, limit: Int)

    package var description: String {
        switch self {
        case .failed(let address, let cause): "cannot listen on \(address): \(cause)"
        case .pathTooLong(let path, let limit):
            "cannot listen on unix:\(path): the path is longer than \(limit) bytes"
        }
    }
}

/// One listening descriptor on one reactor.
///
/// It is level-triggered, so that a batch may end early.
///
/// Proof for `@unchecked Sendable`: after `init` it is used by its reactor's thread alone.
final class Listener: ReadinessTarget, TimerHandler, @unchecked Sendable {
    /// How many connections one turn takes, so that a crowd cannot starve the streams.
    private static let acceptLimit = 16

    /// How long accepting rests when the system has no descriptors left.
    private static let pause = Duration.milliseconds(100)

    private let reactor: ReactorThread
    private let local: SocketAddress
    private let hasWildcard: Bool
    private let place: @Sendable (ReactorThread) -> ReactorThread
    private let acceptor: any ConnectionAcceptor
    private var descriptor: Int32
    private var target: TargetID?
    private var timer: TimerID?

    /// Call `open` on the reactor next.
    ///
    /// - Parameters:
    ///   - descriptor: bound and listening; closed by `close`.
    ///   - local: its address.
    ///   - reactor: where it accepts.
    ///   - acceptor: told of each connection.
    ///   - place: chooses the connection's reactor when it was accepted on the one given.
    init(
        _ descriptor: Int32,
        local: SocketAddress,
        on reactor: ReactorThread,
        acceptor: any ConnectionAcceptor,
        place: @escaping @Sendable (ReactorThread) -> ReactorThread
    ) {
        self.descriptor = descriptor
        self.local = local
        self.reactor = reactor
        self.acceptor = acceptor
        self.place = place
        hasWildcard =
            switch local {
            case .v4(let octets, _): octets == 0
            case .v6(let high, let low, _): high == 0 && low == 0
            case .unix: false
            }
    }

    func open() {
        guard descriptor >= 0 else { return }
        do throws(SocketError) {
            target = try reactor.register(descriptor, events: EPOLLIN.rawValue, target: self)
        } catch {
            rest()
        }
    }

    func close() {
        guard descriptor >= 0 else { return }
        if let timer { reactor.releaseTimer(timer) }
        timer = nil
        let closed = descriptor
        descriptor = -1
        if let target { reactor.unregister(closed, place: target, handler: nil) }
        target = nil
        CLinux_close(closed)
    }

    func abandon() { close() }

    func deliver(_ events: UInt32) {
        for _ in 0..<Self.acceptLimit where descriptor >= 0 {
            var peer = CLinux_address()
            let accepted = unsafe CLinux_accept(descriptor, &peer)
            guard accepted < 0 else {
                pass(accepted, SocketAddress(peer))
                continue
            }
            switch -accepted {
            case EAGAIN: return
            case EMFILE, ENFILE, ENOBUFS, ENOMEM, EINVAL, EBADF, EOPNOTSUPP, ENOTSOCK: return rest()
            default: continue  // that connection failed while it waited
            }
        }
    }

    /// Waits in silence: the kernel keeps reporting what cannot be accepted.
    private func rest() {
        if let target { reactor.watch(descriptor, events: 0, place: target) }
        let timer = timer ?? reactor.makeTimer(for: self)
        self.timer = timer
        reactor.setTimer(timer, at: reactor.now + Self.pause)
    }

    func timerFired(_ timer: TimerID) {
        guard let target else { return open() }
        reactor.watch(descriptor, events: EPOLLIN.rawValue, place: target)
    }

    private func pass(_ accepted: Int32, _ peer: SocketAddress) {
        if !local.isLocal { Descriptor.tune(accepted) }
        let local = hasWildcard ? Descriptor.localAddress(accepted) ?? self.local : self.local
        let acceptor = acceptor
        let chosen = place(reactor)
        guard chosen !== reactor else {
            let socket = PassedSocket(descriptor: accepted, peer: peer, local: local, unread: [])
            return acceptor.accept(socket, on: reactor)
        }
        chosen.countArriving(by: 1)
        let isTaken = chosen.offer {
            chosen.countArriving(by: -1)
            let socket = PassedSocket(descriptor: accepted, peer: peer, local: local, unread: [])
            acceptor.accept(socket, on: chosen)
        }
        if !isTaken { CLinux_close(accepted) }
    }
}
