import StreamBytes

/// A connected, or connecting, stream socket that belongs to one reactor.
///
/// Call on that reactor's thread only. Readiness is edge-triggered: after `isReadable`, read until
/// a read is short; after a short write, wait for `isWritable`.
package protocol StreamSocket: AnyObject, Sendable {
    /// Reads once into the front of `buffer`, at most `buffer.count` bytes.
    func read(into buffer: inout [UInt8]) -> ReadResult

    /// Writes once.
    func write(_ bytes: Span<UInt8>) -> WriteResult

    /// Ends the sending side; the receiving side stays open.
    func shutdownSending()

    /// Closes and frees the descriptor; unsent bytes that the kernel has taken still go out. The
    /// handler hears nothing more. Calling it again does nothing.
    func close()

    /// Closes with a reset, so that nothing waits in the kernel.
    func reset()

    /// Gives up the descriptor without closing it, for another reactor to `adopt`.
    ///
    /// - Parameter unread: bytes that were read and not used yet; the adopting side reads them first.
    /// - Returns: the descriptor, to be adopted or closed; -1 of a socket that could not be adopted.
    func detach(unread: [UInt8]) -> PassedSocket

    /// The kernel's view of the connection; nil where there is none. One system call.
    func statistics() -> TCPStatistics?

    /// What TLS's ALPN chose, once the socket is open; nil where it is plain, or TLS agreed on
    /// nothing.
    var negotiatedProtocol: ApplicationProtocol? { get }

    /// The other side's address.
    var peer: SocketAddress { get }

    /// The address that the connection was accepted on or made from.
    var local: SocketAddress { get }
}

extension StreamSocket {
    /// For sockets that know no TLS.
    package var negotiatedProtocol: ApplicationProtocol? { nil }
}

/// Told on the reactor's thread, outside any task, what happens on its socket.
package protocol SocketHandler: AnyObject, Sendable {
    func socketIsReady(_ readiness: Readiness)
}

/// What may be possible on a socket now; several at once.
package struct Readiness: OptionSet, Sendable {
    package let rawValue: UInt8
    package init(rawValue: UInt8) { self.rawValue = rawValue }

    /// There may be bytes to read, or the end.
    package static let isReadable = Self(rawValue: 1)
    /// There may be room to write; on a new connection: it is open, TLS included.
    package static let isWritable = Self(rawValue: 2)
    /// The other side will send nothing more.
    package static let peerClosed = Self(rawValue: 4)
    /// The connection is broken or could not be made; `read` or `failure` says why.
    package static let hasFailed = Self(rawValue: 8)
    /// The client of a listener with TLS began with a letter, so with no TLS: the socket is open as
    /// a plain one, to say so and nothing else.
    package static let isPlainText = Self(rawValue: 16)
}

package enum ReadResult: Equatable, Sendable {
    /// So many bytes came. A short count means that nothing more is there now.
    case bytes(Int)
    case wouldBlock
    /// The other side ended its sending in an orderly way.
    case endOfStream
    case failed(SocketError)
}

package enum WriteResult: Equatable, Sendable {
    /// The kernel took so many bytes, fewer than offered when its buffer is full (0 included).
    case wrote(Int)
    case failed(SocketError)
}

/// Why a socket cannot be used.
package enum SocketError: Error, Equatable, Sendable {
    case refused
    case reset
    case timedOut
    case unreachable
    /// The process or the system has no descriptors left.
    case noDescriptors
    case addressInUse
    /// The peer's certificate or its handshake; the text names which check failed, without secrets.
    case tls(String)
    /// Any other error number.
    case system(Int32)
}

/// What the kernel knows of a TCP connection (`TCP_INFO`).
package struct TCPStatistics: Equatable, Sendable {
    package var roundTripMicroseconds: UInt32 = 0
    package var retransmits: UInt32 = 0
    package var lost: UInt32 = 0
    /// Time, since the connection began, in which the peer's receive window held sending back.
    package var receiveWindowLimitedMicroseconds: UInt64 = 0
    /// Bytes that the peer has acknowledged.
    package var bytesAcknowledged: UInt64 = 0

    package init() {}
}
