import HTTPWire
import Reactor
import StreamBytes

extension ProviderLink {
    private static let input: Readiness = [.isReadable, .peerClosed, .hasFailed]
    private static let end: Readiness = [.peerClosed, .hasFailed]

    func begin(_ request: ProviderRequest, receiver: any ProviderReceiver) {
        precondition(state == .idle, "a link serves one request at a time")
        self.request = request
        timeouts = request.timeouts
        self.receiver = receiver
        do throws(HTTPError) {
            outgoing = try request.encoded()
        } catch {
            return fail(.unsendable)
        }
        sentCount = 0
        isPaused = false
        hasUnreadInput = false
        parser = ResponseParser(limits: .endless, isReplyToHead: false)
        if isQuiet {
            isReused = true
            wait(atMost: timeouts.firstByte)
            send()
        } else {
            reopen()
        }
    }

    /// Sends the request, again if need be, on another connection.
    func reopen() {
        socket?.close()
        socket = nil
        sentCount = 0
        isReused = false
        open()
    }

    /// Takes a stream of a connection that is open, waits for one, or opens a connection.
    func open() {
        wait(atMost: timeouts.connect)
        switch pool.way(for: self) {
        case .stream(let session): return join(session)
        case .wait:
            state = .waiting
            return
        case .connection(let isShared): opensForOthers = isShared
        }
        state = .resolving
        resolver.addresses(of: endpoint.host, port: endpoint.port, on: executor) {
            [self] addresses in
            assumeIsolated { $0.connect(to: addresses) }
        }
    }

    /// The connection that it waited for is there, or will not come.
    nonisolated func goOn() {
        assumeIsolated { if $0.state == .waiting { $0.open() } }
    }

    private func connect(to addresses: [SocketAddress]) {
        guard state == .resolving else { return }
        guard !addresses.isEmpty else { return fail(.nameNotFound) }
        otherAddresses = addresses
        connectToNextAddress()
    }

    private func connectToNextAddress() {
        let address = otherAddresses.removeFirst()
        state = .connecting
        peerHasClosed = false
        do throws(SocketError) {
            socket = try executor.connect(to: address, security: endpoint.security, handler: self)
        } catch {
            connectingFailed(error)
        }
    }

    /// Tries the next address, unless somebody answered at this one or none would be better.
    private func connectingFailed(_ error: SocketError) {
        switch error {
        case .tls, .noDescriptors: return fail(.unreachable(error))
        default: break
        }
        guard !otherAddresses.isEmpty else { return fail(.unreachable(error)) }
        socket?.close()
        socket = nil
        connectToNextAddress()
    }

    func handle(_ readiness: Readiness) {
        if !readiness.isDisjoint(with: Self.end) { peerHasClosed = true }
        switch state {
        case .connecting where readiness.contains(.hasFailed):
            connectingFailed(failureOfSocket())
        case .connecting where readiness.contains(.isWritable):
            otherAddresses = []
            connected(readiness)
        case .connecting, .resolving, .waiting, .closed:
            break
        case .idle:
            guard !isQuiet else { return }
            pool.forget(self)
            close()
        case .sending, .awaitingHead, .receiving:
            if state == .sending, readiness.contains(.isWritable) { send() }
            if !readiness.isDisjoint(with: Self.input) { read() }
        }
    }

    private func connected(_ readiness: Readiness) {
        if let socket, endpoint.speaksHTTP2(socket.negotiatedProtocol) {
            self.socket = nil
            let session = ProviderSession(
                on: executor,
                socket: socket.detach(unread: []),
                endpoint: endpoint,
                pool: pool
            )
            join(session)
            opensForOthers = false
            return pool.opened(session)
        }
        if opensForOthers { pool.agreedOnHTTP1(endpoint) }
        letOthersOpen()
        wait(atMost: timeouts.firstByte)
        send()
        if !readiness.isDisjoint(with: Self.input) { read() }
    }

    /// Whether there is a connection on which nothing is to be read.
    ///
    /// Nothing is due on a parked one: bytes or an end alike make it useless. TLS may have had
    /// something to say for itself.
    private var isQuiet: Bool {
        guard let socket else { return false }
        var buffer = executor.takeScratch()
        defer { executor.returnScratch(buffer) }
        return socket.read(into: &buffer) == .wouldBlock
    }

    private func failureOfSocket() -> SocketError {
        var buffer = executor.takeScratch()
        defer { executor.returnScratch(buffer) }
        guard case .failed(let error)? = socket?.read(into: &buffer) else { return .unreachable }
        return error
    }
}
