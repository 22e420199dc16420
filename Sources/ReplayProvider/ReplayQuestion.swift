import HTTPServer
import HTTPWire
import Replay

/// A request for an answer, as it was received.
package struct ReceivedRequest: Sendable, Equatable {
    package let head: RequestHead
    package let body: [UInt8]
    /// Nil where the body names none.
    package let model: String?
    /// Nil where the body does not say.
    package let stream: Bool?
}

/// What a request asks for.
struct ReplayQuestion {
    let received: ReceivedRequest
    /// The protocol of the path.
    let format: BodyFormat
    let wantsStream: Bool

    init(_ request: HTTPRequest) {
        let body = JSONTree(parsing: request.body)
        let stream = body?["stream"]?.boolean
        received = ReceivedRequest(
            head: request.head,
            body: request.body,
            model: body?["model"]?.string,
            stream: stream
        )
        let isMessages = request.head.path.hasSuffix("/messages")
        format = isMessages ? .anthropicMessages : .openAIChat
        // These two protocols answer whole unless asked to stream; others stream by default.
        let isKnown = isMessages || request.head.path.hasSuffix("/chat/completions")
        wantsStream = stream ?? !isKnown
    }
}
