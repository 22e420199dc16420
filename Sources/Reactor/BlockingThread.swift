import CLinux
import Glibc

/// A thread for work that waits: databases, files, name resolution.
///
/// An actor that names it as its executor may block without holding anyone else up.
package final class BlockingThread: SerialExecutor, Sendable {
    private let queue: JobQueue
    private let thread: Guarded<NativeThread?>

    /// Starts the thread.
    ///
    /// - Parameter name: shown by the system's tools; its first 15 bytes.
    /// - Throws: `SocketError.system` when the system refuses another thread.
    package init(name: String) throws(SocketError) {
        let queue = JobQueue()
        self.queue = queue
        thread = Guarded(nil)
        let started = try NativeThread(named: name) { [self] in
            queue.noteThread(CLinux_current_thread())
            defer { queue.noteThread(nil) }
            let executor = unsafe asUnownedSerialExecutor()
            while let job = queue.next() {
                switch job {
                case .task(let task): unsafe task.runSynchronously(on: executor)
                case .work(let work): work()
                }
            }
        }
        thread.withLock { $0 = started }
    }

    package var isCurrent: Bool { queue.isCurrent }

    package func enqueue(_ job: consuming ExecutorJob) { queue.append(.task(UnownedJob(job))) }

    /// Runs `work` on the thread, after what is enqueued already.
    ///
    /// Call from any thread.
    package func perform(_ work: @escaping @Sendable () -> Void) { queue.append(.work(work)) }

    /// Waits until the thread has done what is enqueued.
    ///
    /// Call from another thread.
    package func waitUntilIdle() {
        precondition(!isCurrent, "a thread cannot wait for itself")
        queue.waitUntilEmpty()
    }

    package func checkIsolated() {
        precondition(isCurrent, "what belongs to a blocking thread is called on it")
    }

    package func isIsolatingCurrentContext() -> Bool? { isCurrent }

    /// Runs what is enqueued already, ends the thread and waits for its end.
    ///
    /// Call from another thread. Jobs that come later never run.
    package func stop() {
        precondition(!isCurrent, "a thread cannot wait for itself")
        queue.close()
        let ending = thread.withLock { thread in
            defer { thread = nil }
            return thread
        }
        ending?.join()
    }
}

/// Jobs in order, with a condition variable for the thread that waits for them.
///
/// Proof for `@unchecked Sendable`: everything mutable is reached with the mutex held.
@safe
private final class JobQueue: @unchecked Sendable {
    private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
    private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    /// Signalled when the thread has nothing left to do.
    private let rest = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
    private var isResting = false
    private var jobs: [ReactorJob] = []
    private var running: ArraySlice<ReactorJob> = []
    private var isClosed = false
    private var threadID: UInt64 = 0

    init() {
        unsafe pthread_mutex_init(mutex, nil)
        unsafe pthread_cond_init(condition, nil)
        unsafe pthread_cond_init(rest, nil)
    }

    deinit {
        unsafe pthread_cond_destroy(rest)
        unsafe pthread_cond_destroy(condition)
        unsafe pthread_mutex_destroy(mutex)
        unsafe rest.deallocate()
        unsafe condition.deallocate()
        unsafe mutex.deallocate()
    }

    var isCurrent: Bool { locked { threadID } == CLinux_current_thread() }

    /// Nil when the thread ends: the system gives its number to another one soon.
    func noteThread(_ thread: UInt64?) { locked { threadID = thread ?? 0 } }

    func append(_ job: ReactorJob) {
        locked {
            guard !isClosed else { return }
            jobs.append(job)
            isResting = false
            unsafe pthread_cond_signal(condition)
        }
    }

    func close() {
        locked {
            isClosed = true
            unsafe pthread_cond_signal(condition)
        }
    }

    /// Waits for the next job; nil when the queue is closed and empty.
    func next() -> ReactorJob? {
        locked {
            if let job = running.popFirst() { return job }
            if jobs.isEmpty {
                isResting = true
                unsafe pthread_cond_broadcast(rest)
            }
            while jobs.isEmpty, !isClosed { unsafe pthread_cond_wait(condition, mutex) }
            running = jobs[...]
            jobs = []
            return running.popFirst()
        }
    }

    func waitUntilEmpty() {
        locked {
            while !isResting { unsafe pthread_cond_wait(rest, mutex) }
        }
    }

    private func locked<Result>(_ body: () -> Result) -> Result {
        unsafe pthread_mutex_lock(mutex)
        defer { unsafe pthread_mutex_unlock(mutex) }
        return body()
    }
}
