/// What goes wrong in a replay.
package enum ReplayFault: Sendable, Equatable {
    /// The request is answered with an error status and the provider's form of error.
    case refusal(status: Int, retryAfterSeconds: Int?)
    /// The head comes at once, the first event after so long.
    case slowFirstToken(Duration)
    /// Nothing more comes, and the connection stays open.
    case stall(after: ReplayPosition)
    /// Nothing comes for so long, then the rest.
    case silence(after: ReplayPosition, for: Duration)
    /// The connection is reset.
    case reset(after: ReplayPosition)
    /// The connection is closed in the middle of the body.
    case cut(after: ReplayPosition)
    /// The body is bytes without meaning.
    case garbage(byteCount: Int)
    /// The chunked framing breaks.
    case badChunk(after: ReplayPosition)
    /// One byte at a time, with a pause after each.
    case drip(pause: Duration)
    /// An event of one line, so long, comes before the second event.
    case hugeLine(byteCount: Int)
    /// An error event, then the end.
    case errorInStream(afterEvents: Int)
    /// The event that says that the answer is whole is left out.
    case noEnd
}

/// A place in a replayed body.
package enum ReplayPosition: Sendable, Equatable {
    case events(Int)
    case bytes(Int)
}

extension RecordedBody {
    /// Returns the body as a provider with this fault would send it; the same one when the fault is
    /// not in the bytes.
    func altered(by fault: ReplayFault?) -> RecordedBody {
        switch fault {
        case .garbage(let byteCount):
            return RecordedBody(name: name, bytes: Self.noise(byteCount), format: format)
        case .hugeLine(let byteCount):
            return inserting(hugeLine(byteCount), before: 1)
        case .errorInStream(let events):
            return RecordedBody(
                name: name,
                bytes: bytes(ofFirst: events) + format.errorInStream,
                format: format
            )
        case .noEnd where hasTerminal:
            return RecordedBody(
                name: name,
                bytes: bytes(ofFirst: pieces.count - 1),
                format: format
            )
        default:
            return self
        }
    }

    private func bytes(ofFirst count: Int) -> [UInt8] {
        guard let last = pieces.prefix(max(0, count)).last else { return [] }
        return [UInt8](bytes[..<last.upperBound])
    }

    private func inserting(_ piece: [UInt8], before index: Int) -> RecordedBody {
        let opening = bytes(ofFirst: index)
        return RecordedBody(
            name: name,
            bytes: opening + piece + bytes[opening.count...],
            format: format
        )
    }

    private func hugeLine(_ byteCount: Int) -> [UInt8] {
        let filling = [UInt8](repeating: UInt8(ascii: "x"), count: byteCount)
        if format == .lines { return filling + Array("\n".utf8) }
        return Array("data: ".utf8) + filling + Array("\n\n".utf8)
    }

    /// Bytes of all values, the same ones each time.
    private static func noise(_ byteCount: Int) -> [UInt8] {
        var random = ReplayRandom(seed: 1)
        return (0..<byteCount).map { _ in UInt8(truncatingIfNeeded: random.next()) }
    }
}
