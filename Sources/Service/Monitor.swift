import Glibc
import Reactor
import StreamBytes

/// A value behind a pthread mutex that threads can wait on to change.
///
/// Proof for `@unchecked Sendable`: `value` is reached only with the mutex held.
@safe
final class Monitor<Value>: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var value: Value

    init(_ value: consuming sending Value) {
        self.value = value
        unsafe pthread_mutex_init(mutex, nil)
        var attributes = pthread_condattr_t()
        unsafe pthread_condattr_init(&attributes)
        // The wall clock may jump; a deadline must not.
        unsafe pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
        unsafe pthread_cond_init(condition, &attributes)
        unsafe pthread_condattr_destroy(&attributes)
    }

    deinit {
        unsafe pthread_cond_destroy(condition)
        unsafe pthread_mutex_destroy(mutex)
        unsafe condition.deallocate()
        unsafe mutex.deallocate()
    }

    /// Runs `body` with the value and wakes everybody who waits.
    func update<Result>(_ body: (inout Value) -> Result) -> Result {
        unsafe pthread_mutex_lock(mutex)
        defer {
            unsafe pthread_cond_broadcast(condition)
            unsafe pthread_mutex_unlock(mutex)
        }
        return body(&value)
    }

    /// Waits until `body` returns something, or for `limit`; nil: as long as it takes.
    ///
    /// - Returns: what `body` returned last, so nil when the time is over.
    func wait<Result>(
        atMost limit: Duration? = nil,
        for body: (inout Value) -> Result?
    ) -> Result? {
        var deadline = timespec()
        if let limit {
            let end = MonotonicTime.now + limit
            deadline.tv_sec = Int(end.nanoseconds / 1_000_000_000)
            deadline.tv_nsec = Int(end.nanoseconds % 1_000_000_000)
        }
        unsafe pthread_mutex_lock(mutex)
        defer { unsafe pthread_mutex_unlock(mutex) }
        while true {
            if let result = body(&value) { return result }
            if limit == nil {
                unsafe pthread_cond_wait(condition, mutex)
            } else if unsafe pthread_cond_timedwait(condition, mutex, &deadline) == ETIMEDOUT {
                return body(&value)
            }
        }
    }
}
