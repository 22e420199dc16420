import Cryptography
import Reactor
import Sealing
import StreamBytes

/// Makes keys of passwords, which takes a third of a second each, on threads of its own.
///
/// A key is made once for each account and day, by at most two threads at a time; who needs it
/// meanwhile waits. The threads are started when the first key is needed.
final class PasswordKeyring: Sendable {
    /// Told the key, or nil when too many wait or the system has no thread or randomness to give.
    typealias Completion = @Sendable (PasswordKey?) -> Void

    private static let threadLimit = 2
    private let state = Guarded(State())

    private struct State {
        var desk = PasswordDesk()
        var waiting: [PasswordDesk.Ticket: [Completion]] = [:]
        var threads: [Int: BlockingThread] = [:]
        var isClosed = false
    }

    /// Asks for an account's key.
    ///
    /// Call from any thread.
    ///
    /// - Parameters:
    ///   - account: whose.
    ///   - password: the account's.
    ///   - now: keys that are too old are made again.
    ///   - completion: called once, at once or on another thread.
    func key(
        of account: String,
        _ password: SecretBytes,
        at now: MonotonicTime,
        completion: @escaping Completion
    ) {
        let answer = state.withLock { state -> PasswordDesk.Answer in
            guard !state.isClosed else { return .busy }
            let answer = state.desk.ask(account, password, at: now)
            if case .wait(let ticket) = answer {
                state.waiting[ticket, default: []].append(completion)
            }
            return answer
        }
        switch answer {
        case .ready(let key): completion(key)
        case .busy: completion(nil)
        case .wait: work()
        }
    }

    /// Ends the threads; who waits is told nil.
    ///
    /// Call from a thread that may wait.
    func close() {
        let (threads, waiting) = state.withLock { state in
            defer { state = State(isClosed: true) }
            return (state.threads, state.waiting)
        }
        for completion in waiting.values.joined() { completion(nil) }
        for thread in threads.values { thread.stop() }
    }

    /// Lets a thread that has nothing to do begin with the next key.
    private func work() {
        let (thread, job) = state.withLock { state -> (BlockingThread?, PasswordDesk.Job?) in
            guard !state.isClosed, let job = state.desk.begin(limit: Self.threadLimit) else {
                return (nil, nil)
            }
            if state.threads[job.place] == nil {
                state.threads[job.place] = try? BlockingThread(name: "password-\(job.place)")
            }
            return (state.threads[job.place], job)
        }
        guard let job else { return }
        guard let thread else { return end(job, nil) }
        thread.perform { [self] in
            let salt = try? SecureRandom.bytes(PasswordKey.saltByteCount)
            end(job, salt.map { PasswordKey(password: job.password, salt: $0) })
            work()
        }
    }

    private func end(_ job: PasswordDesk.Job, _ key: PasswordKey?) {
        let waiting = state.withLock { state in
            state.desk.end(job, key)
            return state.waiting.removeValue(forKey: job.ticket) ?? []
        }
        for completion in waiting { completion(key) }
    }
}
