import HTTP2
import HTTPWire
import Reactor

// What exchanges call; their number is that of their stream.
extension HTTP2Connection {
    nonisolated func send(_ response: HTTPResponse, exchange: UInt64) {
        assumeIsolated { connection in
            guard let stream = connection.stream(exchange, in: .responding) else { return }
            connection.answer(stream, response)
        }
    }

    nonisolated func start(_ head: ResponseHead, body: any BodySource, exchange: UInt64) {
        assumeIsolated { connection in
            guard let stream = connection.stream(exchange, in: .responding) else {
                return body.responseEnded(.clientGone)
            }
            connection.startAnswer(stream, head, body)
        }
    }

    nonisolated func bodyIsReady(exchange: UInt64) {
        assumeIsolated { connection in
            guard let stream = connection.stream(exchange, in: .answering) else { return }
            connection.enqueue(stream)
        }
    }

    nonisolated func onClientGone(exchange: UInt64, _ action: @escaping @Sendable () -> Void) {
        assumeIsolated { $0.watchClient(exchange, action) }
    }

    nonisolated func breakOff(sending bytes: [UInt8], resets: Bool, exchange: UInt64) {
        assumeIsolated { connection in
            guard let stream = connection.stream(exchange, in: .answering) else { return }
            connection.abandon(stream, resets ? .internalError : .protocolError, .closedHere)
        }
    }

    nonisolated func statistics(exchange: UInt64) -> ExchangeStatistics? {
        assumeIsolated { connection in
            guard let reading = connection.socket?.statistics() else { return nil }
            var statistics = ExchangeStatistics(reading)
            let id = HTTP2StreamID(exactly: exchange)
            let stream = id.flatMap { connection.streams[$0] } ?? connection.leaving
            if let stream, stream.id == id {
                statistics.windowClosed = stream.blocked(at: connection.executor.now)
            }
            return statistics
        }
    }

    nonisolated func unsentBytes(exchange: UInt64) -> Int {
        assumeIsolated { connection in
            guard let stream = connection.stream(exchange, in: .answering) else { return 0 }
            return stream.held.count + stream.unsentCount
        }
    }

    nonisolated func move(
        to executor: any StreamExecutor,
        handler: any RequestHandler,
        exchange: UInt64
    ) {
        assumeIsolated { connection in
            guard let stream = connection.stream(exchange, in: .responding),
                let request = stream.request
            else { return }
            let own = Exchange(through: connection, number: exchange)
            ExchangeRelay.pass(own, request, to: executor, handler)
        }
    }

    private func stream(_ exchange: UInt64, in phase: HTTP2Stream.Phase) -> HTTP2Stream? {
        guard let id = HTTP2StreamID(exactly: exchange), let stream = streams[id],
            stream.phase == phase
        else { return nil }
        return stream
    }

    private func watchClient(_ exchange: UInt64, _ action: @escaping @Sendable () -> Void) {
        guard let id = HTTP2StreamID(exactly: exchange), let stream = streams[id] else {
            return action()
        }
        guard stream.phase == .responding else { return }
        stream.onClientGone = action
        if peerHasClosed { probeClient() }
    }
}
