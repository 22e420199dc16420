import CLinux
import Glibc
import StreamBytes
import TransportSecurity

/// A TCP or Unix socket, with TLS on it or without.
///
/// Proof for `@unchecked Sendable`: after `init` it is used by its reactor's thread alone, as
/// `StreamSocket` demands; debug builds check it at each call.
final class ReactorSocket: StreamSocket, ReadinessTarget, @unchecked Sendable {
    private enum State {
        case connecting
        case handshaking
        case open
        case closed
    }

    let peer: SocketAddress

    private let reactor: ReactorThread
    private let isAdopted: Bool
    private var descriptor: Int32
    private var place = TargetID(slot: 0, generation: 0)
    private var handler: (any SocketHandler)?
    private var state: State
    private var failure: SocketError?
    private var session: SecuritySession?
    /// With what TLS begins once the client has sent something.
    private var awaiting: SecurityContext?
    private var isInHandshakeQueue = false
    /// What was reported since the last step of the handshake.
    private var heldEvents: UInt32 = 0
    private var knownLocal: SocketAddress?
    /// Bytes that another reactor had read.
    private var unread: ArraySlice<UInt8> = []

    /// Starts a connection.
    ///
    /// - Parameters:
    ///   - address: where to.
    ///   - security: nil: no TLS.
    ///   - reactor: the caller's.
    ///   - handler: told by `isWritable` that the connection is open.
    /// - Throws: what fails at once.
    init(
        connectingTo address: SocketAddress,
        security: ClientSecurity?,
        on reactor: ReactorThread,
        handler: any SocketHandler
    ) throws(SocketError) {
        peer = address
        self.reactor = reactor
        self.handler = handler
        isAdopted = false
        state = .closed
        descriptor = -1
        let context: SecurityContext? =
            if let security { try ClientContexts.context(for: security) } else { nil }
        descriptor = try Descriptor.connecting(to: address)
        state = .connecting
        if let security, let context { try begin(context, connectingTo: security.serverName) }
        try enter()
    }

    /// Takes over an open descriptor; what fails is told to the handler in a later turn.
    init(
        adopting socket: consuming PassedSocket,
        security: ServerSecurity? = nil,
        on reactor: ReactorThread,
        handler: any SocketHandler
    ) {
        peer = socket.peer
        knownLocal = socket.local
        self.reactor = reactor
        self.handler = handler
        isAdopted = true
        state = .open
        descriptor = socket.descriptor
        unread = socket.unread[...]
        let lendsBytes = socket.session != nil || !socket.unread.isEmpty
        session = socket.session
        reactor.countAdopted(by: 1)
        if let security {
            awaiting = security.context
            state = .handshaking
        }
        do throws(SocketError) {
            try enter()
            // What the sender had read, or TLS had decrypted, no event of the kernel announces.
            if lendsBytes { reactor.deliverLater(EPOLLIN.rawValue, to: place) }
        } catch {
            fail(error)
        }
    }

    deinit { assert(state == .closed, "a socket is closed on its reactor before it is dropped") }

    /// Prepares the handshake of the client's side.
    private func begin(
        _ context: SecurityContext,
        connectingTo serverName: String
    ) throws(SocketError) {
        do throws(SecurityFailure) {
            session = try SecuritySession(context, connectingTo: serverName, on: descriptor)
        } catch {
            giveUp()
            throw SocketError(error)
        }
    }

    private func enter() throws(SocketError) {
        do throws(SocketError) {
            place = try reactor.register(descriptor, events: Descriptor.allEvents, target: self)
        } catch {
            giveUp()
            throw error
        }
    }

    /// Frees the descriptor before the reactor knew it.
    private func giveUp() {
        session = nil
        CLinux_close(descriptor)
        descriptor = -1
        state = .closed
        if isAdopted { reactor.countAdopted(by: -1) }
    }

    /// An adopted descriptor cannot be used: the handler learns it in a later turn.
    private func fail(_ error: SocketError) {
        failure = error
        let handler = handler
        reactor.perform { handler?.socketIsReady(.hasFailed) }
    }

    var local: SocketAddress {
        if let knownLocal { return knownLocal }
        let address = Descriptor.localAddress(descriptor) ?? .unix(path: "")
        if state == .open { knownLocal = address }
        return address
    }

    // MARK: Bytes

    func read(into buffer: inout [UInt8]) -> ReadResult {
        precondition(!buffer.isEmpty, "a read needs room")
        guard state == .open, descriptor >= 0 else { return notReadable }
        let offered = takeUnread(into: &buffer)
        guard offered < buffer.count else { return .bytes(offered) }
        let result = session == nil ? receive(&buffer, offered) : decrypt(&buffer, offered)
        var count = offered
        if case .bytes(let more) = result { count += more }
        // With bytes in hand the end, or the error, waits for the next read.
        guard count > 0 else { return result }
        // That TLS ended behind them, no event of the kernel announces.
        if session?.knowsEnd == true { reactor.deliverLater(EPOLLIN.rawValue, to: place) }
        return .bytes(count)
    }

    private func receive(_ buffer: inout [UInt8], _ offset: Int) -> ReadResult {
        let count = unsafe buffer.withUnsafeMutableBytes { room in
            let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: room[offset...])
            return unsafe CLinux_receive(descriptor, rest.baseAddress, rest.count)
        }
        if count > 0 { return .bytes(count) }
        if count == 0 { return failure.map(ReadResult.failed) ?? .endOfStream }
        return Descriptor.wouldBlock(count)
            ? .wouldBlock : .failed(note(SocketError(errorNumber: Int32(-count))))
    }

    private func decrypt(_ buffer: inout [UInt8], _ offset: Int) -> ReadResult {
        switch session?.read(into: &buffer, from: offset) {
        case .bytes(let count): .bytes(count)
        case .wouldBlock, nil: .wouldBlock
        case .ended: .endOfStream
        // What the peer said before it reset the connection says more than the reset.
        case .failed(.failed(let reason)): .failed(note(.tls(reason)))
        case .failed(let reason): .failed(note(failure ?? SocketError(reason)))
        }
    }

    func write(_ bytes: Span<UInt8>) -> WriteResult {
        assert(reactor.isCurrent, "a socket is used on its reactor")
        if let failure { return .failed(failure) }
        guard !bytes.isEmpty, !isOpening else { return .wrote(0) }
        guard state == .open else { return .failed(Descriptor.closedError) }
        return session == nil ? send(bytes) : encrypt(bytes)
    }

    private func send(_ bytes: Span<UInt8>) -> WriteResult {
        let count = unsafe bytes.withUnsafeBytes {
            unsafe CLinux_send(descriptor, $0.baseAddress, $0.count)
        }
        if count >= 0 { return .wrote(count) }
        return Descriptor.wouldBlock(count)
            ? .wrote(0) : .failed(note(SocketError(errorNumber: Int32(-count))))
    }

    private func encrypt(_ bytes: Span<UInt8>) -> WriteResult {
        switch session?.write(bytes) {
        case .wrote(let count): .wrote(count)
        case nil: .wrote(0)
        case .failed(let reason): .failed(note(SocketError(reason)))
        }
    }

    private var isOpening: Bool { state == .connecting || state == .handshaking }

    var negotiatedProtocol: ApplicationProtocol? { ApplicationProtocol(agreedOnBy: session) }

    func statistics() -> TCPStatistics? {
        descriptor >= 0 ? Descriptor.statistics(descriptor) : nil
    }

    private var notReadable: ReadResult {
        if let failure { return .failed(failure) }
        return isOpening ? .wouldBlock : .failed(Descriptor.closedError)
    }

    private func takeUnread(into buffer: inout [UInt8]) -> Int {
        assert(reactor.isCurrent, "a socket is used on its reactor")
        guard !unread.isEmpty else { return 0 }
        let part = unread.prefix(buffer.count)
        buffer.replaceSubrange(0..<part.count, with: part)
        unread = unread.dropFirst(part.count)
        if unread.isEmpty { unread = [] }
        return part.count
    }

    private func note(_ error: SocketError) -> SocketError {
        failure = error
        return error
    }

    // MARK: End

    func shutdownSending() {
        guard state == .open else { return }
        session?.finishSending()
        // A connection that broke meanwhile answers with an error; its handler hears of it.
        _ = CLinux_shutdown_sending(descriptor)
    }

    func close() {
        guard state != .closed else { return }
        if failure == nil { session?.finishSending() }
        session = nil
        if let descriptor = leave() { CLinux_close(descriptor) }
    }

    func reset() {
        guard state != .closed else { return }
        session = nil
        if descriptor >= 0 { CLinux_linger_zero(descriptor) }
        close()
    }

    func abandon() { close() }

    func detach(unread: [UInt8]) -> PassedSocket {
        precondition(!isOpening, "a socket opens where it is")
        let local = local
        let rest = unread + self.unread
        return PassedSocket(
            // What could not be adopted has none, and cannot be adopted elsewhere either.
            descriptor: leave() ?? -1,
            peer: peer,
            local: local,
            unread: rest,
            session: session.take()
        )
    }

    /// Leaves the reactor.
    ///
    /// - Returns: the descriptor, which is the caller's now.
    private func leave() -> Int32? {
        guard state != .closed else { return nil }
        assert(reactor.isCurrent, "a socket is closed on its reactor")
        state = .closed
        guard descriptor >= 0 else { return nil }
        let left = descriptor
        descriptor = -1
        reactor.unregister(left, place: place, handler: handler)
        handler = nil
        awaiting = nil
        unread = []
        if isAdopted { reactor.countAdopted(by: -1) }
        return left
    }

    // MARK: Readiness

    func deliver(_ events: UInt32) {
        // A connection that could not be made is told once.
        guard failure == nil || !isOpening else { return }
        switch state {
        case .closed: break
        case .open: tell(events)
        case .connecting: finishConnecting(events)
        case .handshaking: queueHandshake(events)
        }
    }

    private func finishConnecting(_ events: UInt32) {
        let decisive = EPOLLOUT.rawValue | EPOLLERR.rawValue | EPOLLHUP.rawValue
        guard events & decisive != 0 else { return }
        let error = CLinux_pending_error(descriptor)
        guard error == 0 else {
            failure = SocketError(errorNumber: error)
            handler?.socketIsReady(.hasFailed)
            return
        }
        guard session == nil else {
            state = .handshaking
            return queueHandshake(events)
        }
        state = .open
        tell(events)
    }

    // MARK: Handshake

    private func queueHandshake(_ events: UInt32) {
        heldEvents |= events
        // That a client can be written to is no reason to begin: it speaks first.
        guard awaiting == nil || events & ~EPOLLOUT.rawValue != 0 else { return }
        guard !isInHandshakeQueue else { return }
        isInHandshakeQueue = true
        reactor.queueHandshake(of: self, isAccepted: isAdopted)
    }

    /// Makes one step of the handshake; the reactor calls it when the turn has come.
    ///
    /// - Returns: whether that took time.
    func goOnWithHandshake() -> Bool {
        isInHandshakeQueue = false
        guard state == .handshaking, failure == nil else { return false }
        guard awaiting == nil || beginsTLS() else { return false }
        let events = heldEvents
        heldEvents = 0
        switch session?.handshake() {
        case .wouldBlock, nil: break
        case .failed(let reason): handshakeFailed(SocketError(reason))
        case .done:
            state = .open
            // The handshake may have read the first bytes: no further event announces them.
            tell(events | EPOLLIN.rawValue | EPOLLOUT.rawValue)
        }
        return true
    }

    /// Looks at what the client begins with, and prepares the server's side of the handshake.
    private func beginsTLS() -> Bool {
        switch CLinux_peek(descriptor) {
        case -EAGAIN: return false
        case let error where error < 0:
            handshakeFailed(SocketError(errorNumber: -error))
            return false
        case 256:
            handshakeFailed(.tls("the peer closed during the handshake"))
            return false
        case 0x41...0x5A:
            awaiting = nil
            state = .open
            handler?.socketIsReady(.isPlainText)
            return false
        default: break
        }
        guard let context = awaiting.take() else { return false }
        do throws(SecurityFailure) {
            session = try SecuritySession(context, acceptedOn: descriptor)
            return true
        } catch {
            handshakeFailed(SocketError(error))
            return false
        }
    }

    private func handshakeFailed(_ error: SocketError) {
        failure = error
        handler?.socketIsReady(.hasFailed)
    }

    private func tell(_ events: UInt32) {
        if events & EPOLLERR.rawValue != 0, failure == nil {
            // Reading it clears it in the kernel, where a write would else have found it.
            let error = CLinux_pending_error(descriptor)
            failure = error == 0 ? .reset : SocketError(errorNumber: error)
        }
        var readiness = Descriptor.readiness(events)
        // Reading TLS may have waited for room to answer a key update.
        if session != nil, readiness.contains(.isWritable) { readiness.insert(.isReadable) }
        handler?.socketIsReady(readiness)
    }
}
