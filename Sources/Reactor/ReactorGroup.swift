import CLinux
import Glibc
import StreamBytes

/// The reactors of a process, one per core, and the addresses they listen on together.
package final class ReactorGroup: Sendable {
    package let reactors: [ReactorThread]

    private struct Opened {
        var listeners: [(listener: Listener, reactor: ReactorThread)] = []
        var paths: [String] = []
        var isStopped = false
    }

    private let opened = Guarded(Opened())

    /// Makes the reactors; they run after `start`.
    ///
    /// - Parameters:
    ///   - count: at least 1; nil: one for each processor that this process may use.
    ///   - handshakesPerTurn: how many steps of TLS handshakes one turn of a reactor makes.
    /// - Throws: `SocketError` when the process lacks descriptors.
    package init(count: Int? = nil, handshakesPerTurn: Int = 1) throws(SocketError) {
        let count = count ?? max(1, Int(CLinux_usable_processors()))
        precondition(count > 0, "a group has at least one reactor")
        CLinux_ignore_sigpipe()
        var reactors: [ReactorThread] = []
        for index in 0..<count {
            reactors.append(try ReactorThread(index: index, handshakesPerTurn: handshakesPerTurn))
        }
        self.reactors = reactors
    }

    /// Starts the threads; once.
    ///
    /// - Throws: `SocketError.system` when the system refuses a thread.
    package func start() throws(SocketError) {
        for reactor in reactors { try reactor.start() }
    }

    /// Stops listening, waits until no socket and no timer is left on the reactors, and ends them.
    ///
    /// Call once, from none of their threads.
    ///
    /// - Parameter limit: how long to wait; what is open then is closed without telling anyone.
    package func stop(within limit: Duration = .seconds(5)) {
        let isFirst = opened.withLock { opened in
            defer { opened.isStopped = true }
            return !opened.isStopped
        }
        guard isFirst else { return }
        stopListening()
        for reactor in reactors { reactor.requestStop(within: limit) }
        for reactor in reactors { reactor.join() }
    }

    /// Listens on an address with every reactor.
    ///
    /// Call from any thread.
    ///
    /// - Parameters:
    ///   - address: port 0 chooses one.
    ///   - sharePort: whether another process may listen on the same port beside this one.
    ///   - acceptor: told of each connection on the reactor that shall own it.
    /// - Returns: the address with the port that was chosen.
    /// - Throws: `ListenError`; nothing listens then.
    @discardableResult
    package func listen(
        on address: SocketAddress,
        sharePort: Bool = false,
        acceptor: any ConnectionAcceptor
    ) throws(ListenError) -> SocketAddress {
        let copies = address.isLocal ? 1 : reactors.count
        let bound = try ListeningSockets(on: address, copies: copies, sharePort: sharePort)
        if let path = address.path { opened.withLock { $0.paths.append(path) } }
        for (descriptor, reactor) in zip(bound.descriptors, reactors) {
            let listener = Listener(
                descriptor,
                local: bound.address,
                on: reactor,
                acceptor: acceptor,
                place: { [reactors] in Self.place(acceptedOn: $0, among: reactors) }
            )
            opened.withLock { $0.listeners.append((listener, reactor)) }
            reactor.perform { listener.open() }
        }
        return bound.address
    }

    /// Closes every listening socket; those of running reactors in their next turn.
    ///
    /// Call from any thread.
    package func stopListening() {
        let (listeners, paths) = opened.withLock { opened in
            defer {
                opened.listeners = []
                opened.paths = []
            }
            return (opened.listeners, opened.paths)
        }
        for path in paths { _ = unsafe CLinux_remove_socket(path) }
        for (listener, reactor) in listeners { reactor.perform { listener.close() } }
    }

    /// Chooses the reactor of a new connection: the one that accepted it unless it is clearly ahead
    /// of the least loaded.
    private static func place(
        acceptedOn reactor: ReactorThread,
        among reactors: [ReactorThread]
    ) -> ReactorThread {
        var least = reactor
        var leastLoad = reactor.load
        let load = leastLoad
        for other in reactors where other.load < leastLoad {
            least = other
            leastLoad = other.load
        }
        return load > leastLoad + max(8, leastLoad / 10) ? least : reactor
    }
}
