import StreamBytes

/// How many frames that carry nothing a peer may send: two buckets that time fills.
struct FrameAllowance {
    /// Of a bucket: how much it holds, and how much flows in.
    struct Rate: Sendable {
        let burst: Int
        let perSecond: Int
    }

    /// PING, SETTINGS, PRIORITY, DATA with next to nothing in it, and WINDOW_UPDATE beyond what was
    /// earned.
    private var frames: Bucket
    private var resets: Bucket
    /// WINDOW_UPDATE frames that the peer may send for what it was sent.
    private var earnedUpdates = 0

    /// A reader acknowledges each frame of data twice at most: for the stream and the connection.
    private static let updatesPerData = 2
    private static let earnedLimit = 65_536

    init(frames: Rate, resets: Rate) {
        self.frames = Bucket(frames)
        self.resets = Bucket(resets)
    }

    mutating func refill(at now: MonotonicTime) {
        frames.refill(at: now)
        resets.refill(at: now)
    }

    /// Call for each DATA frame that was sent.
    mutating func dataWasSent() {
        earnedUpdates = min(Self.earnedLimit, earnedUpdates + Self.updatesPerData)
    }

    /// Takes one frame.
    ///
    /// - Returns: false when it is one too many.
    mutating func take(_ kind: FloodKind) -> Bool {
        switch kind {
        case .reset: return resets.take()
        case .windowUpdate where earnedUpdates > 0:
            earnedUpdates -= 1
            return true
        default: return frames.take()
        }
    }

    private struct Bucket {
        let rate: Rate
        var level: Int
        var filledAt: MonotonicTime?

        init(_ rate: Rate) {
            self.rate = rate
            level = rate.burst
        }

        mutating func take() -> Bool {
            guard level > 0 else { return false }
            level -= 1
            return true
        }

        /// Adds whole frames only, and moves the clock on by as much as they took.
        mutating func refill(at now: MonotonicTime) {
            guard let last = filledAt, level < rate.burst else {
                filledAt = now
                return
            }
            let each = 1_000_000_000 / Int64(rate.perSecond)
            let due = (now - last).wholeNanoseconds / each
            guard due > 0 else { return }
            level = min(rate.burst, level + Int(clamping: due))
            filledAt = last + .nanoseconds(due * each)
        }
    }
}
