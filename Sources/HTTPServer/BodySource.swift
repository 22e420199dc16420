import Reactor
import StreamBytes

/// Where a streamed response body comes from.
///
/// The connection pulls: it asks for bytes whenever the line can take some, so that what it holds
/// itself is never more than one unfinished write.
///
/// Called on the connection's reactor, outside any task.
package protocol BodySource: AnyObject, Sendable {
    /// Appends the next bytes of the body, about `limit` of them at most, to `buffer` (which may
    /// hold other bytes already; they must stay).
    func nextBytes(into buffer: inout [UInt8], limit: Int) -> BodyProgress

    /// The kernel has taken every byte handed out so far.
    func everythingWasSent(at now: MonotonicTime)

    /// The client ended its sending side. The connection is about to pull: hand out a byte or more
    /// that means nothing (an SSE comment), so that a reset tells whether the client is gone.
    func clientClosedItsSendingSide()

    /// The response is over: `finished` was delivered, or the connection failed. Called once, last.
    func responseEnded(_ reason: ResponseEnd)
}

package enum BodyProgress: Sendable {
    /// Nothing more now; `Exchange.bodyIsReady()` will be called when there is.
    case pending
    /// More is there already.
    case more
    /// That was the end of the body.
    case finished
    /// The body cannot be finished: end the connection so that the client sees a truncated body.
    case aborted
}

package enum ResponseEnd: Equatable, Sendable {
    /// The whole body was handed to the kernel.
    case delivered
    /// The client reset the connection or closed it while bytes were due.
    case clientGone
    /// Nothing could be written for the time limit, with bytes waiting.
    case clientStuck
    /// The server closed it: shutdown at its deadline, or `aborted`.
    case closedHere
}
