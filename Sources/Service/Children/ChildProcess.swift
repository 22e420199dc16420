import Glibc
import Reactor
import StreamBytes
import Telemetry

/// A child that is kept running: started again when it dies, later each time, until it is stopped.
///
/// One thread starts the child and waits for it. It lives as long as this process does or until
/// `stop`, because the kernel ends the child together with the thread that started it.
package final class ChildProcess: Sendable {
    private struct State {
        /// Nil when there is none to signal.
        var processID: pid_t?
        var starts = 0
        var exits = 0
        /// Why the last start failed.
        var failure: FileError?
        var isStopping = false
        var hasEnded = false
    }

    private let name: String
    private let command: ChildCommand
    private let parentDeath: String
    private let log: any LogSink
    private let state = Monitor(State())
    private let thread: Guarded<NativeThread?>

    /// Starts the child.
    ///
    /// - Parameters:
    ///   - name: the child's, in the log.
    ///   - command: what to run.
    ///   - parentDeath: the path of `setpriv`.
    ///   - log: told of every start and death.
    /// - Throws: `ChildProcessError` when it cannot be started even once.
    package init(
        name: String,
        command: ChildCommand,
        parentDeath: String,
        log: any LogSink
    ) throws(ChildProcessError) {
        self.name = name
        self.command = command
        self.parentDeath = parentDeath
        self.log = log
        thread = Guarded(nil)
        do throws(SocketError) {
            let started = try NativeThread(named: name) { [self] in supervise() }
            thread.withLock { $0 = started }
        } catch {
            throw .noThread
        }
        let failure = state.wait { $0.starts > 0 ? .some($0.failure) : nil }
        if let failure, let error = failure {
            stop(within: .zero)
            throw .notStarted(error)
        }
    }

    /// The running child's number; nil while it is dead.
    package var processID: Int32? { state.wait { .some($0.processID) } ?? nil }

    /// How many times it has died.
    package var exits: Int { state.wait { $0.exits } ?? 0 }

    /// Waits for the child's next death, at most for `limit`.
    ///
    /// - Returns: whether it has died more than `count` times.
    package func waitForExit(after count: Int, atMost limit: Duration) -> Bool {
        state.wait(atMost: limit) { $0.exits > count ? true : nil } ?? false
    }

    /// Asks the child to end, makes it end when it takes longer than `limit`, and waits for it.
    package func stop(within limit: Duration = .seconds(10)) {
        state.update { state in
            state.isStopping = true
            if let processID = state.processID { kill(processID, SIGTERM) }
        }
        if state.wait(atMost: limit, for: { $0.hasEnded ? true : nil }) == nil {
            state.update { state in
                // The whole group: the child may have children of its own.
                if let processID = state.processID { kill(-processID, SIGKILL) }
            }
        }
        let started = thread.withLock { thread in
            let started = thread
            thread = nil
            return started
        }
        started?.join()
    }

    /// The thread's work.
    private func supervise() {
        var backoff = RestartBackoff()
        while !isStopping {
            let startedAt = MonotonicTime.now
            if let processID = start() { awaitDeath(of: processID) }
            if isStopping { break }
            let pause = backoff.pause(afterLiving: .now - startedAt)
            _ = state.wait(atMost: pause) { $0.isStopping ? true : nil }
        }
        state.update { $0.hasEnded = true }
    }

    private var isStopping: Bool { state.wait { $0.isStopping } ?? false }

    /// Starts the child once; nil when that failed.
    private func start() -> pid_t? {
        do throws(FileError) {
            guard let lock = try command.takeLock(atMost: .seconds(15)) else {
                throw FileError.system(EBUSY)
            }
            defer { close(lock) }
            let processID = try command.spawn(lock: lock, parentDeath: parentDeath)
            state.update { state in
                state.processID = processID
                state.starts += 1
                // A stop that came while there was no child to signal.
                if state.isStopping { kill(processID, SIGTERM) }
            }
            log.write(LogLine(.info, "child_started").with("child", name).with("pid", processID))
            return processID
        } catch {
            state.update { state in
                if state.starts == 0 { state.failure = error }
                state.starts += 1
            }
            log.write(
                LogLine(.error, "child_not_started").with("child", name).with("why", "\(error)")
            )
            return nil
        }
    }

    private func awaitDeath(of processID: pid_t) {
        var information = unsafe siginfo_t()
        // Not reaped yet: until the number is withdrawn below it belongs to nobody else.
        while unsafe waitid(P_PID, id_t(processID), &information, WEXITED | WNOWAIT) != 0,
            errno == EINTR
        {}
        state.update { $0.processID = nil }
        var status: Int32 = 0
        while unsafe waitpid(processID, &status, 0) < 0, errno == EINTR {}
        let wasExpected = state.update { state in
            state.exits += 1
            return state.isStopping
        }
        var line = LogLine(wasExpected ? .info : .error, "child_ended").with("child", name)
        line.add("pid", processID)
        if status & 0x7F == 0 {
            line.add("status", status >> 8 & 0xFF)
        } else {
            line.add("signal", status & 0x7F)
        }
        log.write(line)
    }
}

/// How long to wait before a dead child is started again: doubling from 0.1 s to 10 s, and from the
/// start again once it has lived for a minute.
package struct RestartBackoff: Sendable {
    private var next = Duration.milliseconds(100)

    package init() {}

    package mutating func pause(afterLiving life: Duration) -> Duration {
        if life >= .seconds(60) { next = .milliseconds(100) }
        let pause = next
        next = min(next * 2, .seconds(10))
        return pause
    }
}

/// Why there is no child.
package enum ChildProcessError: Error, Equatable {
    case noThread
    case notStarted(FileError)
}
