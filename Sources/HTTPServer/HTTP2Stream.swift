import HTTP2
import HTTPWire
import Reactor
import StreamBytes

/// One stream of a connection of HTTP/2: a request and its answer.
///
/// A class, because it is changed in place among others; it belongs to its connection's actor alone.
final class HTTP2Stream {
    enum Phase {
        /// The request is being read.
        case reading
        /// The handler has the request.
        case responding
        /// The answer is on its way.
        case answering
    }

    let id: HTTP2StreamID
    var phase = Phase.reading
    /// The request until it is whole.
    var incoming: IncomingRequest?
    /// What the handler has, for as long as it may move.
    var request: HTTPRequest?
    var isReplyToHead = false
    /// Whether the client has sent all it will.
    var inputHasEnded = false
    var onClientGone: (@Sendable () -> Void)?

    var source: (any BodySource)?
    /// Of a whole answer, or of what a source handed out beyond the window: what goes out first.
    var held: ArraySlice<UInt8> = []
    /// Whether nothing will follow `held`.
    var sourceHasFinished = false
    /// Whether the source cannot finish its body.
    var isAborted = false
    /// Whether it waits for its turn.
    var isQueued = false
    /// Since when there are bytes for which the client gives no room.
    private(set) var blockedAt: MonotonicTime?
    /// How long there were such bytes before.
    private var blockedBefore = Duration.zero
    /// Bytes in frames that the kernel has not taken yet.
    var unsentCount = 0
    /// Whether the frame that ends the stream was made.
    var endIsFramed = false

    init(_ id: HTTP2StreamID) { self.id = id }

    /// The client gives no room for bytes that wait.
    func block(at now: MonotonicTime) { blockedAt = blockedAt ?? now }

    /// The client gives room.
    func unblock(at now: MonotonicTime) {
        guard let since = blockedAt else { return }
        blockedBefore += now - since
        blockedAt = nil
    }

    /// How long bytes have waited for room, all in all.
    func blocked(at now: MonotonicTime) -> Duration {
        blockedBefore + (blockedAt.map { now - $0 } ?? .zero)
    }
}

/// A request that is being read.
final class IncomingRequest {
    let head: RequestHead
    let byteLimit: Int
    let startedAt: MonotonicTime
    var body: [UInt8] = []

    init(_ head: RequestHead, byteLimit: Int, startedAt: MonotonicTime) {
        self.head = head
        self.byteLimit = byteLimit
        self.startedAt = startedAt
    }
}
