import HTTPServer
import StreamBytes

/// The body of one client's response: forwards the connection's calls to the stream.
final class StreamAttachment: BodySource {
    private let generation: Generation
    private let number: UInt32

    init(to generation: Generation, number: UInt32) {
        self.generation = generation
        self.number = number
    }

    func nextBytes(into buffer: inout [UInt8], limit: Int) -> BodyProgress {
        generation.nextBytes(for: number, into: &buffer, limit: limit)
    }

    func everythingWasSent(at now: MonotonicTime) {
        generation.everythingWasSent(to: number, at: now)
    }

    func clientClosedItsSendingSide() { generation.probe(number) }

    func responseEnded(_ reason: ResponseEnd) { generation.responseEnded(for: number, reason) }
}
