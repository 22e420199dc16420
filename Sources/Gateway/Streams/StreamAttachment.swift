import HTTPServer
import StreamBytes

/// What a stream is to the responses of its clients, which have numbers.
///
/// As `BodySource`, for one client of several; called on the stream's reactor.
protocol SharedBody: AnyObject, Sendable {
    func nextBytes(
        for number: UInt32,
        into buffer: inout [UInt8],
        limit: Int
    ) -> BodyProgress
    func everythingWasSent(to number: UInt32, at now: MonotonicTime)
    func probe(_ number: UInt32)
    func responseEnded(for number: UInt32, _ reason: ResponseEnd)
}

/// The body of one client's response: forwards the connection's calls to the stream.
final class StreamAttachment: BodySource {
    private let stream: any SharedBody
    private let number: UInt32

    init(to stream: any SharedBody, number: UInt32) {
        self.stream = stream
        self.number = number
    }

    func nextBytes(into buffer: inout [UInt8], limit: Int) -> BodyProgress {
        stream.nextBytes(for: number, into: &buffer, limit: limit)
    }

    func everythingWasSent(at now: MonotonicTime) { stream.everythingWasSent(to: number, at: now) }

    func clientClosedItsSendingSide() { stream.probe(number) }

    func responseEnded(_ reason: ResponseEnd) { stream.responseEnded(for: number, reason) }
}
