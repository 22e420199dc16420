import StreamBytes

/// One run of a plan: told the time, it says what to send next.
package struct ReplayScript: ~Copyable, Sendable {
    private let plan: ReplayPlan
    private let startedAt: MonotonicTime
    private var random: ReplayRandom
    /// Pieces sent whole, counting each loop.
    package private(set) var eventsSent = 0
    package private(set) var bytesSent = 0
    /// Bytes of the piece in hand that were sent.
    private var offset = 0
    private var cutsMade = 0

    /// Starts a run.
    ///
    /// - Parameters:
    ///   - plan: what to send; its `delay` is before the head, and so not part of the run.
    ///   - now: when the head leaves; events are due counting from here.
    package init(_ plan: ReplayPlan, startedAt now: MonotonicTime) {
        self.plan = plan
        startedAt = now
        if case .random(let seed, _) = plan.cuts {
            random = ReplayRandom(seed: seed)
        } else {
            random = ReplayRandom(seed: 0)
        }
    }

    /// Appends what is due to `buffer` and says how to go on.
    ///
    /// - Parameters:
    ///   - buffer: keeps what it holds.
    ///   - limit: the most that is appended, in bytes; at least 1.
    ///   - now: the time.
    /// - Returns: what to do next.
    package mutating func next(
        into buffer: inout [UInt8],
        limit: Int,
        at now: MonotonicTime
    ) -> ReplayStep {
        if let ending = endingReached { return ending }
        guard eventsSent < pieceCount else { return .finish }
        let due = dueAt
        guard now >= due else { return .wait(until: due) }
        return send(into: &buffer, limit: limit)
    }

    private var repeatable: Range<Int> { plan.sentBody.repeatablePieces }

    /// Pieces of the whole answer, repeated ones counted each time.
    private var pieceCount: Int {
        plan.sentBody.pieces.count + repeatable.count * (max(1, plan.loops) - 1)
    }

    /// The piece in hand, which `eventsSent` counts.
    private var piece: Range<Int> {
        let pieces = plan.sentBody.pieces
        let repeated = repeatable.count * max(1, plan.loops)
        if eventsSent < repeatable.lowerBound || repeatable.isEmpty { return pieces[eventsSent] }
        if eventsSent < repeatable.lowerBound + repeated {
            let place = (eventsSent - repeatable.lowerBound) % repeatable.count
            return pieces[repeatable.lowerBound + place]
        }
        return pieces[eventsSent - repeated + repeatable.count]
    }

    private mutating func send(into buffer: inout [UInt8], limit: Int) -> ReplayStep {
        let piece = piece
        let start = piece.lowerBound + offset
        let count = min(piece.upperBound - start, nextCut(), limit, bytesBeforeFault)
        buffer.append(contentsOf: plan.sentBody.bytes[start..<(start + count)])
        bytesSent += count
        offset += count
        if start + count == piece.upperBound {
            eventsSent += 1
            offset = 0
        }
        return isCut ? .flush : .again
    }

    private var isCut: Bool {
        if case .drip = plan.fault { return true }
        return plan.cuts != .pieces
    }

    private mutating func nextCut() -> Int {
        cutsMade += 1
        if case .drip = plan.fault { return 1 }
        switch plan.cuts {
        case .pieces: return .max
        case .every(let byteCount): return max(1, byteCount)
        case .random(_, let longest): return Int.random(in: 1...max(1, longest), using: &random)
        }
    }
}

package enum ReplayStep: Sendable, Equatable {
    /// Bytes were appended; more may be due.
    case again
    /// Bytes were appended that shall leave in a write of their own.
    case flush
    /// Nothing is due before then.
    case wait(until: MonotonicTime)
    /// Nothing will ever be due; the connection stays open until the client leaves.
    case hold
    /// The answer is over.
    case finish
    /// Close the connection without ending the body.
    case cut
    /// Reset the connection.
    case reset
    /// Send bytes that are no chunk where one should begin, and close.
    case breakFraming
}

extension ReplayScript {
    /// What the plan's fault does at this place; nil to go on sending.
    private var endingReached: ReplayStep? {
        switch plan.fault {
        case .stall(let position): isReached(position) ? .hold : nil
        case .reset(let position): isReached(position) ? .reset : nil
        case .cut(let position): isReached(position) ? .cut : nil
        case .badChunk(let position): isReached(position) ? .breakFraming : nil
        default: nil
        }
    }

    private func isReached(_ position: ReplayPosition) -> Bool {
        switch position {
        case .events(let count): eventsSent >= count
        case .bytes(let count): bytesSent >= count
        }
    }

    /// How much may be sent before the fault's place, which may be inside an event.
    private var bytesBeforeFault: Int {
        switch plan.fault {
        case .stall(.bytes(let count)), .silence(.bytes(let count), _), .reset(.bytes(let count)),
            .cut(.bytes(let count)), .badChunk(.bytes(let count)):
            count > bytesSent ? count - bytesSent : .max
        default: .max
        }
    }

    private var dueAt: MonotonicTime {
        startedAt + paceOffset + faultOffset
    }

    private var paceOffset: Duration {
        switch plan.pace {
        case .immediate: .zero
        case .events(let rate): .seconds(Double(eventsSent) / max(rate, 1e-3))
        case .bytes(let rate): .seconds(Double(bytesSent) / max(rate, 1e-3))
        }
    }

    private var faultOffset: Duration {
        switch plan.fault {
        case .slowFirstToken(let wait): wait
        case .silence(let position, let length) where isReached(position): length
        case .drip(let pause): pause * cutsMade
        default: .zero
        }
    }
}
