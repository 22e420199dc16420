import HTTPWire

/// What a replay sends, how fast, in which portions, and what goes wrong.
///
/// Cheap to copy.
package struct ReplayPlan: Sendable, Equatable {
    /// The recorded answer, before faults.
    package var body: RecordedBody {
        didSet { sentBody = body.altered(by: fault) }
    }
    /// The answer with what `fault` changes in its bytes.
    package private(set) var sentBody: RecordedBody
    package var pace: ReplayPace = .immediate
    package var cuts: ReplayCuts = .pieces
    /// How often the text part of the answer is sent, at least once; see
    /// `RecordedBody.repeatablePieces`.
    package var loops = 1
    /// Time before the response's first byte, its head included.
    package var delay: Duration = .zero
    package var fault: ReplayFault? {
        didSet { sentBody = body.altered(by: fault) }
    }
    /// Nil: as the body's format says.
    package var contentType: String?
    /// The content coding of a streamed body, whatever the client accepts; nil: none.
    package var coding: ContentCoding?
    /// The protocol in whose form a refusal is; nil: the body's.
    package var refusalFormat: BodyFormat?

    package init(body: RecordedBody) {
        self.body = body
        sentBody = body
    }

    /// The status and fields of the response, and its body where that is not streamed.
    package var opening: ReplayOpening {
        guard case .refusal(let status, let retryAfterSeconds) = fault else {
            return ReplayOpening(
                status: 200,
                contentType: contentType ?? body.format.contentType,
                retryAfterSeconds: nil,
                body: nil
            )
        }
        return ReplayOpening(
            status: status,
            contentType: "application/json",
            retryAfterSeconds: retryAfterSeconds,
            body: (refusalFormat ?? body.format).errorBody(status: status)
        )
    }
}

package enum ReplayPace: Sendable, Equatable {
    /// As fast as the line takes it.
    case immediate
    /// Evenly, so many events a second; more than 0.
    case events(perSecond: Double)
    /// Evenly, so many bytes a second; more than 0.
    case bytes(perSecond: Double)
}

/// Where the body is divided into writes.
package enum ReplayCuts: Sendable, Equatable {
    /// At the ends of events.
    case pieces
    /// After every so many bytes, whatever they are.
    case every(byteCount: Int)
    /// At random places, 1 to `longest` bytes apart.
    case random(seed: UInt64, longest: Int)
}

/// How a response begins.
package struct ReplayOpening: Sendable, Equatable {
    package let status: Int
    package let contentType: String
    package let retryAfterSeconds: Int?
    /// The whole body; nil when it is streamed.
    package let body: [UInt8]?
}
