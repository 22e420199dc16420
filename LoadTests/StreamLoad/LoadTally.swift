/// Why a stream was not completed.
package enum LoadFailure: Hashable, Sendable {
    /// No connection could be made.
    case connect
    /// The answer's head had this status; such a stream was refused, not lost.
    case status(Int)
    /// The connection ended before the head.
    case noAnswer
    /// The connection was reset in the body.
    case reset
    /// The connection ended, or the framing did, before the body's end.
    case truncated
    /// The response's framing cannot be read.
    case badFraming
    /// The head says something other than an event stream.
    case notAStream
    /// An event is too long.
    case badEvent
    /// The body's content coding cannot be read, or has no end.
    case badCoding
    /// An event is not sealed as asked, or was changed on its way.
    case badSeal
    /// The body ended in an orderly way without the event that says that the answer is whole.
    case noEnd
    /// The answer ended in an error event.
    case errorEvent
    /// Nothing came for too long.
    case silent

    package var name: String {
        switch self {
        case .connect: "connect"
        case .status(let status): "status_\(status)"
        case .noAnswer: "no_answer"
        case .reset: "reset"
        case .truncated: "truncated"
        case .badFraming: "bad_framing"
        case .notAStream: "not_a_stream"
        case .badEvent: "bad_event"
        case .badCoding: "bad_coding"
        case .badSeal: "bad_seal"
        case .noEnd: "no_end"
        case .errorEvent: "error_event"
        case .silent: "silent"
        }
    }

    /// Whether an answer had begun: its rest is lost.
    package var isLoss: Bool {
        switch self {
        case .connect, .status, .noAnswer: false
        default: true
        }
    }
}

/// What happened to the streams.
package struct LoadTally: Sendable, Equatable {
    /// Answers that were asked for.
    package var opened = 0
    /// Answers that came whole.
    package var completed = 0
    package var failures: [LoadFailure: Int] = [:]
    /// Answers under way when the test ended; the tool closed them.
    package var cut = 0
    /// Why the latest of the connections that could not be made was not.
    package var connectError: String?
    package var events = 0
    /// Bytes of bodies, without chunked framing.
    package var bytes = 0
    /// The same without their content coding.
    package var rawBytes = 0
    /// Answers that had a content coding.
    package var coded = 0
    /// Events that are missing by their numbers, where the server numbers them.
    package var missingEvents = 0
    /// From the begin of connecting to the first byte of the answer.
    package var firstByte = LoadHistogram()
    /// From the begin of connecting to the first event.
    package var firstEvent = LoadHistogram()
    /// Between two arrivals of events in a stream; what arrives together counts once.
    package var gap = LoadHistogram()
    /// Whole answers, from the begin of connecting to their end.
    package var answer = LoadHistogram()

    package init() {}

    package var failed: Int { failures.values.reduce(0, +) }

    /// Answers that began and were not completed, and events that are missing by their numbers.
    package var lost: Int {
        missingEvents + failures.reduce(0) { $0 + ($1.key.isLoss ? $1.value : 0) }
    }

    package mutating func add(_ other: LoadTally) {
        opened += other.opened
        completed += other.completed
        failures.merge(other.failures, uniquingKeysWith: +)
        cut += other.cut
        connectError = connectError ?? other.connectError
        events += other.events
        bytes += other.bytes
        rawBytes += other.rawBytes
        coded += other.coded
        missingEvents += other.missingEvents
        firstByte.add(other.firstByte)
        firstEvent.add(other.firstEvent)
        gap.add(other.gap)
        answer.add(other.answer)
    }
}
