import HTTPServer
import HTTPWire
import Reactor
import StreamBytes
import TestSupport
import Testing

/// The connection does with each raw exchange what the parser's own tests found to be right.
@Suite struct ConformanceTests {
    @Test(arguments: WireCase.all)
    func `each case is answered in order and closed when it must be`(wireCase: WireCase) {
        check(wireCase, in: [wireCase.bytes])
    }

    @Test(arguments: WireCase.small)
    func `each case is answered the same when it comes byte by byte`(wireCase: WireCase) {
        check(wireCase, in: wireCase.bytes.map { [$0] })
    }

    private func check(_ wireCase: WireCase, in parts: [[UInt8]]) {
        var model = ModelServer()
        let fixture = Fixture(handler: ModelHandler())
        for part in parts {
            if !model.outcome.isClosed { model.receive(part) }
            fixture.socket.receive(part)
        }
        if wireCase.halfCloses {
            model.endOfStream()
            fixture.socket.closeSendingSide()
        }
        let statuses = fixture.socket.sent.statusCodes.compactMap { Int($0) }.filter { $0 >= 200 }
        #expect(statuses == model.outcome.statuses)
        let isEnding = fixture.socket.sendingHasEnded || fixture.socket.isClosed
        #expect(isEnding == model.outcome.isClosed)
    }
}

/// Answers as `ModelServer` does.
private struct ModelHandler: RequestHandler {
    func admit(_ head: RequestHead, on connection: ConnectionInfo) -> BodyAdmission {
        .take(limit: .max)
    }

    func respond(to request: HTTPRequest, through exchange: Exchange) {
        let body = request.head.path == "/echo" ? request.body : []
        exchange.send(HTTPResponse(head: ResponseHead(status: status(request.head)), body: body))
    }

    private func status(_ head: RequestHead) -> Int {
        switch (head.path, head.method) {
        case ("/", "GET"), ("/", "HEAD"), ("/echo", _): 200
        case ("/", _): 405
        default: 404
        }
    }

    func refusal(status: Int, reason: String, head: RequestHead?) -> HTTPResponse {
        .text(status, reason)
    }
}
