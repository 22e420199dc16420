import Replay

/// What a replay provider received and sent.
package struct ReplayCounts: Sendable, Equatable {
    /// Requests for an answer.
    package var requests = 0
    /// Answers that were begun, refusals among them.
    package var started = 0
    /// Answers that were delivered to their planned end.
    package var finished = 0
    /// Answers that were cut or reset as planned.
    package var broken = 0
    /// Answers whose client left before the end.
    package var abandoned = 0
    /// Whole events handed out, lines of an NDJSON body included.
    package var events = 0
    /// Bytes of bodies handed out, before chunked framing.
    package var bytes = 0

    package init() {}

    /// Answers under way.
    package var open: Int { started - finished - broken - abandoned }

    package var json: JSONTree {
        let numbers = [
            "requests": requests, "started": started, "open": open, "finished": finished,
            "broken": broken, "abandoned": abandoned, "events": events, "bytes": bytes,
        ]
        return .object(numbers.mapValues { .integer(Int64($0)) })
    }
}
