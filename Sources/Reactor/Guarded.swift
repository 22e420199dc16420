import Glibc

/// A value behind a pthread mutex, for what several threads share.
///
/// Not `Synchronization.Mutex`: the thread sanitizer reports races there that do not exist. Proof
/// for `@unchecked Sendable`: `value` is reached only inside `withLock`, with the mutex held.
@safe
package final class Guarded<Value: ~Copyable>: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private var value: Value

    package init(_ value: consuming sending Value) {
        self.value = value
        let outcome = unsafe pthread_mutex_init(mutex, nil)
        precondition(outcome == 0, "a default mutex can always be made")
    }

    deinit {
        unsafe pthread_mutex_destroy(mutex)
        unsafe mutex.deallocate()
    }

    /// Runs `body` with the value; other callers wait meanwhile.
    ///
    /// Not reentrant.
    package func withLock<Result: ~Copyable, Failure: Error>(
        _ body: (inout Value) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        unsafe pthread_mutex_lock(mutex)
        defer { unsafe pthread_mutex_unlock(mutex) }
        return try body(&value)
    }
}
