import HTTPWire
import Reactor
import StreamBytes

/// What a client of the replay provider got.
struct ReplayAnswer: Sendable {
    enum End: Sendable, Equatable {
        case whole
        case truncated
        case reset
        case badFraming
        /// The client left.
        case left
    }

    var head: ResponseHead?
    var body: [UInt8] = []
    var end = End.whole
    /// How many reads brought bytes.
    var readCount = 0

    var text: String { String(decoding: body, as: UTF8.self) }
}

/// One request over one connection, read to its end.
///
/// Proof for `@unchecked Sendable`: after `start` it is used by its reactor's thread alone.
final class ReplayClient: SocketHandler, @unchecked Sendable {
    private let reactor: ReactorThread
    private let leavesAfter: Int
    private let completion: @Sendable (ReplayAnswer) -> Void
    private var request: [UInt8]
    private var socket: (any StreamSocket)?
    private var parser = ResponseParser(limits: .endless, isReplyToHead: false)
    private var answer = ReplayAnswer()

    /// Sends a request and waits for the answer's end; the client itself closes when it has
    /// `leavesAfter` bytes of the body.
    static func ask(
        _ address: SocketAddress,
        on reactor: ReactorThread,
        _ path: String,
        body: String?,
        leavesAfter: Int = .max
    ) async -> ReplayAnswer {
        let head: String
        if let body {
            head = "POST \(path) HTTP/1.1\r\nhost: x\r\ncontent-length: \(body.utf8.count)\r\n\r\n"
        } else {
            head = "GET \(path) HTTP/1.1\r\nhost: x\r\n\r\n"
        }
        return await withCheckedContinuation { continuation in
            let client = ReplayClient(
                on: reactor,
                request: Array((head + (body ?? "")).utf8),
                leavesAfter: leavesAfter
            ) { continuation.resume(returning: $0) }
            reactor.perform { client.start(address) }
        }
    }

    private init(
        on reactor: ReactorThread,
        request: [UInt8],
        leavesAfter: Int,
        completion: @escaping @Sendable (ReplayAnswer) -> Void
    ) {
        self.reactor = reactor
        self.request = request
        self.leavesAfter = leavesAfter
        self.completion = completion
    }

    private func start(_ address: SocketAddress) {
        do throws(SocketError) {
            socket = try reactor.connect(to: address, security: nil, handler: self)
        } catch {
            finish(.reset)
        }
    }

    func socketIsReady(_ readiness: Readiness) {
        guard let socket else { return }
        if readiness.contains(.isWritable), !request.isEmpty {
            _ = socket.write(request.span)
            request = []
        }
        var buffer = reactor.takeScratch()
        defer { reactor.returnScratch(buffer) }
        while let socket = self.socket {
            switch socket.read(into: &buffer) {
            case .bytes(let count): take(buffer.span.extracting(..<count))
            case .wouldBlock: return
            case .endOfStream: endOfStream()
            case .failed: finish(.reset)
            }
        }
    }

    private func take(_ bytes: Span<UInt8>) {
        answer.readCount += 1
        var offset = 0
        do throws(HTTPError) {
            while true {
                switch try parser.parse(bytes, from: &offset) {
                case .needsMore: return
                case .interim: continue
                case .head(let head): answer.head = head
                case .body(let range):
                    for index in range { answer.body.append(bytes[index]) }
                    if answer.body.count >= leavesAfter { return finish(.left) }
                case .end: return finish(.whole)
                }
            }
        } catch {
            finish(.badFraming)
        }
    }

    private func endOfStream() {
        do throws(HTTPError) {
            finish(try parser.endOfStream() ? .whole : .truncated)
        } catch {
            finish(.truncated)
        }
    }

    private func finish(_ end: ReplayAnswer.End) {
        guard let socket else { return }
        socket.close()
        self.socket = nil
        answer.end = end
        completion(answer)
    }
}
