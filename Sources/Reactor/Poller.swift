import CLinux
import StreamBytes

/// An epoll set and the room for one batch of its events.
///
/// Events carry a number, never a pointer: what they refer to may be gone when they are seen.
@safe
final class Poller {
    struct Event {
        let data: UInt64
        let events: UInt32
    }

    /// The number of the descriptor that wakes the loop.
    static let wakeData = UInt64.max

    private static let batchLimit = 512

    private let descriptor: Int32
    private let batch: UnsafeMutableBufferPointer<epoll_event>

    /// Opens a set that watches `wakeDescriptor`, level-triggered.
    ///
    /// - Throws: `SocketError` when the process lacks descriptors.
    init(waking wakeDescriptor: Int32) throws(SocketError) {
        descriptor = CLinux_epoll_create()
        unsafe batch = .allocate(capacity: Self.batchLimit)
        guard descriptor >= 0 else { throw SocketError(errorNumber: -descriptor) }
        unsafe batch.initialize(repeating: epoll_event())
        try add(wakeDescriptor, events: EPOLLIN.rawValue, data: Self.wakeData)
    }

    deinit {
        unsafe batch.deallocate()
        if descriptor >= 0 { CLinux_close(descriptor) }
    }

    func add(_ watched: Int32, events: UInt32, data: UInt64) throws(SocketError) {
        let outcome = CLinux_epoll_add(descriptor, watched, events, data)
        guard outcome == 0 else { throw SocketError(errorNumber: -outcome) }
    }

    func modify(_ watched: Int32, events: UInt32, data: UInt64) {
        let outcome = CLinux_epoll_modify(descriptor, watched, events, data)
        precondition(outcome == 0, "only watched descriptors are modified")
    }

    func remove(_ watched: Int32) {
        let outcome = CLinux_epoll_remove(descriptor, watched)
        precondition(outcome == 0, "only watched descriptors are removed")
    }

    /// Waits for events.
    ///
    /// - Parameters:
    ///   - deadline: when to come back without any; nil: never.
    ///   - blocks: false: only look.
    /// - Returns: how many `event(_:)` can answer for.
    func wait(until deadline: MonotonicTime?, blocks: Bool) -> Int {
        let timeout = blocks ? Self.milliseconds(until: deadline) : 0
        let count = unsafe CLinux_epoll_wait(
            descriptor,
            batch.baseAddress,
            Int32(Self.batchLimit),
            timeout
        )
        return max(0, Int(count))
    }

    func event(_ position: Int) -> Event {
        let event = unsafe batch[position]
        return unsafe Event(data: event.data.u64, events: event.events)
    }

    /// Rounded up, so that the loop does not come back just before the deadline.
    private static func milliseconds(until deadline: MonotonicTime?) -> Int32 {
        guard let deadline else { return -1 }
        let nanoseconds = deadline.nanoseconds - CLinux_monotonic_ns()
        guard nanoseconds > 0 else { return 0 }
        return Int32(clamping: (nanoseconds - 1) / 1_000_000 + 1)
    }
}
