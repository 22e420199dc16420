import StreamBytes

/// A moment from now on the monotonic clock.
struct MonotonicTimeLimit {
    private let deadline: MonotonicTime

    init(_ duration: Duration) { deadline = .now + duration }

    var isOver: Bool { MonotonicTime.now >= deadline }
}
