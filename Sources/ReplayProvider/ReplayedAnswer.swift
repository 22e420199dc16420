import Replay

/// An answer that is over, as the provider counted it.
package struct ReplayedAnswer: Sendable, Equatable {
    package enum End: String, Sendable {
        /// Delivered to its planned end.
        case finished
        /// Cut or reset as planned.
        case broken
        /// Its client left before the end.
        case abandoned
    }

    /// Whom the request was for; empty where it did not say.
    package let user: String
    package let model: String
    /// Whole events handed out.
    package var events = 0
    /// Bytes of the body handed out, before chunked framing.
    package var bytes = 0
    package var end = End.abandoned

    init(user: String, model: String) {
        self.user = user
        self.model = model
    }

    var json: JSONTree {
        .object([
            "user": .string(user), "model": .string(model), "events": .integer(Int64(events)),
            "bytes": .integer(Int64(bytes)), "end": .string(end.rawValue),
        ])
    }
}
