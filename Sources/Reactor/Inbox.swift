import CLinux
import Synchronization

/// One thing for a reactor to run.
enum ReactorJob {
    case task(UnownedJob)
    case work(@Sendable () -> Void)
}

/// What other threads leave for a reactor, and the eventfd that wakes it.
final class Inbox: Sendable {
    private struct Contents {
        var jobs: [ReactorJob] = []
        var isClosed = false
    }

    private let contents = Guarded(Contents())
    private let isSignalled = Atomic<Bool>(false)
    private let descriptor = Atomic<Int32>(-1)

    deinit {
        let descriptor = descriptor.load(ordering: .relaxed)
        if descriptor >= 0 { CLinux_close(descriptor) }
    }

    /// Opens the eventfd, once; it closes with the inbox.
    func wakeDescriptor() throws(SocketError) -> Int32 {
        let opened = CLinux_eventfd()
        guard opened >= 0 else { throw SocketError(errorNumber: -opened) }
        descriptor.store(opened, ordering: .relaxed)
        return opened
    }

    /// Leaves a job; call from any thread.
    ///
    /// - Returns: false when the reactor has ended: the job is dropped.
    @discardableResult
    func append(_ job: ReactorJob) -> Bool {
        let isTaken = contents.withLock { contents in
            if !contents.isClosed { contents.jobs.append(job) }
            return !contents.isClosed
        }
        guard isTaken else { return false }
        if !isSignalled.exchange(true, ordering: .acquiringAndReleasing) {
            CLinux_eventfd_signal(descriptor.load(ordering: .relaxed))
        }
        return true
    }

    /// Moves everything to `jobs`; call when the wake descriptor is readable.
    func take(into jobs: inout [ReactorJob]) {
        CLinux_eventfd_clear(descriptor.load(ordering: .relaxed))
        // Before the jobs are taken, so that a late one signals again.
        isSignalled.store(false, ordering: .sequentiallyConsistent)
        let arrived = contents.withLock { contents in
            let jobs = contents.jobs
            contents.jobs = []
            return jobs
        }
        jobs.append(contentsOf: arrived)
    }

    /// Takes no more jobs from now on.
    ///
    /// - Parameter unlessFilled: whether to stay open when jobs wait.
    /// - Returns: whether it is closed.
    func close(unlessFilled: Bool) -> Bool {
        contents.withLock { contents in
            if contents.jobs.isEmpty || !unlessFilled {
                contents.isClosed = true
                contents.jobs = []
            }
            return contents.isClosed
        }
    }
}
