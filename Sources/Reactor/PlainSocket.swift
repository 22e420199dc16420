import CLinux
import StreamBytes

/// A TCP or Unix socket without encryption.
///
/// Proof for `@unchecked Sendable`: after `init` it is used by its reactor's thread alone, as
/// `StreamSocket` demands; debug builds check it at each call.
final class PlainSocket: StreamSocket, ReadinessTarget, @unchecked Sendable {
    private enum State {
        case connecting
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
    private var knownLocal: SocketAddress?
    /// Bytes that another reactor had read.
    private var unread: ArraySlice<UInt8> = []

    /// Starts a connection.
    ///
    /// - Parameters:
    ///   - address: where to.
    ///   - reactor: the caller's.
    ///   - handler: told by `isWritable` that the connection is open.
    /// - Throws: what fails at once.
    init(
        connectingTo address: SocketAddress,
        on reactor: ReactorThread,
        handler: any SocketHandler
    ) throws(SocketError) {
        peer = address
        self.reactor = reactor
        self.handler = handler
        isAdopted = false
        state = .connecting
        descriptor = try Descriptor.connecting(to: address)
        try enter()
    }

    /// Takes over an open descriptor.
    init(
        adopting socket: consuming PassedSocket,
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
        reactor.countAdopted(by: 1)
        do {
            try enter()
            if !unread.isEmpty { reactor.deliverLater(EPOLLIN.rawValue, to: place) }
        } catch {
            fail(error)
        }
    }

    deinit { assert(state == .closed, "a socket is closed on its reactor before it is dropped") }

    private func enter() throws(SocketError) {
        do throws(SocketError) {
            place = try reactor.register(descriptor, events: Descriptor.allEvents, target: self)
        } catch {
            CLinux_close(descriptor)
            descriptor = -1
            state = .closed
            if isAdopted { reactor.countAdopted(by: -1) }
            throw error
        }
    }

    /// The kernel would not watch an adopted descriptor: the handler learns it in a later turn.
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
        let count = unsafe buffer.withUnsafeMutableBytes { room in
            let rest = unsafe room[offered...]
            return unsafe CLinux_receive(
                descriptor,
                UnsafeMutableRawBufferPointer(rebasing: rest).baseAddress,
                rest.count
            )
        }
        if count > 0 { return .bytes(offered + count) }
        // With bytes in hand the end, or the error, waits for the next read.
        if offered > 0 { return .bytes(offered) }
        if count == 0 { return failure.map(ReadResult.failed) ?? .endOfStream }
        return Descriptor.wouldBlock(count) ? .wouldBlock : .failed(note(count))
    }

    func write(_ bytes: Span<UInt8>) -> WriteResult {
        assert(reactor.isCurrent, "a socket is used on its reactor")
        if let failure { return .failed(failure) }
        guard !bytes.isEmpty, state != .connecting else { return .wrote(0) }
        guard state == .open else { return .failed(Descriptor.closedError) }
        let count = unsafe bytes.withUnsafeBytes {
            unsafe CLinux_send(descriptor, $0.baseAddress, $0.count)
        }
        if count >= 0 { return .wrote(count) }
        return Descriptor.wouldBlock(count) ? .wrote(0) : .failed(note(count))
    }

    func statistics() -> TCPStatistics? {
        descriptor >= 0 ? Descriptor.statistics(descriptor) : nil
    }

    private var notReadable: ReadResult {
        if let failure { return .failed(failure) }
        return state == .connecting ? .wouldBlock : .failed(Descriptor.closedError)
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

    private func note(_ outcome: Int) -> SocketError {
        let error = SocketError(errorNumber: Int32(-outcome))
        failure = error
        return error
    }

    // MARK: End

    func shutdownSending() {
        guard state == .open else { return }
        // A connection that broke meanwhile answers with an error; its handler hears of it.
        _ = CLinux_shutdown_sending(descriptor)
    }

    func close() {
        guard let descriptor = leave() else { return }
        CLinux_close(descriptor)
    }

    func reset() {
        guard state != .closed else { return }
        if descriptor >= 0 { CLinux_linger_zero(descriptor) }
        close()
    }

    func abandon() { close() }

    func detach(unread: [UInt8]) -> PassedSocket {
        precondition(state == .open, "only an open socket can be passed on")
        let local = local
        let rest = unread + self.unread
        guard let descriptor = leave() else {
            preconditionFailure("an open socket has a descriptor")
        }
        return PassedSocket(descriptor: descriptor, peer: peer, local: local, unread: rest)
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
        unread = []
        if isAdopted { reactor.countAdopted(by: -1) }
        return left
    }

    // MARK: Readiness

    func deliver(_ events: UInt32) {
        switch state {
        case .closed: break
        case .open: tell(events)
        case .connecting: finishConnecting(events)
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
        state = .open
        tell(events)
    }

    private func tell(_ events: UInt32) {
        if events & EPOLLERR.rawValue != 0, failure == nil {
            // Reading it clears it in the kernel, where a write would else have found it.
            let error = CLinux_pending_error(descriptor)
            failure = error == 0 ? .reset : SocketError(errorNumber: error)
        }
        handler?.socketIsReady(Descriptor.readiness(events))
    }
}
