import Glibc
import Reactor
import StreamBytes
import Telemetry

/// The log of the process: lines wait in memory, and a thread of its own writes them.
///
/// A line that finds no room is dropped and counted; the count follows in the log as soon as
/// something is written again. So nobody who logs ever waits for a disk or a terminal.
package final class LogWriter: LogSink {
    package enum Form: Sendable {
        /// One JSON object per line.
        case json
        /// For people.
        case text
    }

    private struct State {
        var pending: [UInt8] = []
        var dropped: UInt64 = 0
        var droppedInAll: UInt64 = 0
        /// Whether the thread is in the middle of a write.
        var isWriting = false
        var isClosed = false
    }

    private let state = Monitor(State())
    private let form: Form
    private let byteLimit: Int
    private let descriptor: Int32
    private let clock: @Sendable () -> WallTime
    private let thread: Guarded<NativeThread?>

    /// Starts the thread.
    ///
    /// - Parameters:
    ///   - descriptor: stays the caller's; text for a terminal, JSON for anything else, unless
    ///     `form` says otherwise.
    ///   - form: nil: what suits the descriptor.
    ///   - byteLimit: what may wait to be written.
    ///   - clock: gives each line its time.
    /// - Throws: `SocketError.system` when the system refuses another thread.
    package init(
        to descriptor: Int32 = STDERR_FILENO,
        form: Form? = nil,
        byteLimit: Int = 1_048_576,
        clock: @escaping @Sendable () -> WallTime = { WallTime.now }
    ) throws(SocketError) {
        self.descriptor = descriptor
        self.form = form ?? (isatty(descriptor) == 1 ? .text : .json)
        self.byteLimit = byteLimit
        self.clock = clock
        thread = Guarded(nil)
        let started = try NativeThread(named: "log") { [self] in writeAll() }
        thread.withLock { $0 = started }
    }

    /// How many lines were dropped since the start.
    package var droppedLines: UInt64 { state.wait { $0.droppedInAll } ?? 0 }

    package func write(_ line: LogLine) {
        let bytes = render(line)
        state.update { state in
            guard !state.isClosed, state.pending.count + bytes.count <= byteLimit else {
                state.dropped += 1
                state.droppedInAll += 1
                return
            }
            state.pending.append(contentsOf: bytes)
        }
    }

    /// Waits until everything is written, at most for `limit`.
    ///
    /// - Returns: whether it is.
    @discardableResult
    package func flush(atMost limit: Duration = .seconds(2)) -> Bool {
        state.wait(atMost: limit) { $0.pending.isEmpty && !$0.isWriting ? true : nil } ?? false
    }

    /// Writes what waits, at most for `limit`, and ends the thread; later lines are dropped.
    package func close(atMost limit: Duration = .seconds(2)) {
        let isFlushed = flush(atMost: limit)
        state.update { $0.isClosed = true }
        let started = thread.withLock { thread in
            let started = thread
            thread = nil
            return started
        }
        // A thread that hangs in a write that nobody reads is left to the end of the process.
        if isFlushed { started?.join() }
    }

    private func render(_ line: LogLine) -> [UInt8] {
        var bytes: [UInt8] = []
        let now = clock().milliseconds
        switch form {
        case .json: line.appendJSON(at: now, to: &bytes)
        case .text: line.appendText(at: now, to: &bytes)
        }
        return bytes
    }

    /// The thread's work, until the log is closed.
    private func writeAll() {
        while let (bytes, dropped) = takePending() {
            var output = bytes
            if dropped > 0 {
                output += render(LogLine(.warning, "log_lines_dropped").with("lines", dropped))
            }
            let isWritten = write(output)
            state.update { state in
                state.isWriting = false
                if !isWritten { state.droppedInAll += 1 }
            }
        }
    }

    /// Waits for bytes to write; nil when there will be none any more.
    private func takePending() -> (bytes: [UInt8], dropped: UInt64)? {
        let taken: (bytes: [UInt8], dropped: UInt64)?? = state.wait { state in
            if state.pending.isEmpty && state.dropped == 0 {
                return state.isClosed ? .some(nil) : nil
            }
            if state.pending.isEmpty && state.isClosed { return .some(nil) }
            let taken = (state.pending, state.dropped)
            state.pending = []
            state.dropped = 0
            state.isWriting = true
            return .some(taken)
        }
        return taken ?? nil
    }

    private func write(_ bytes: [UInt8]) -> Bool {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes { buffer in
                unsafe Glibc.write(descriptor, buffer.baseAddress, buffer.count)
            }
            if count >= 0 {
                rest = rest.dropFirst(count)
            } else if errno == EAGAIN {
                // Whoever gave us the descriptor made it non-blocking.
                var entry = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                unsafe poll(&entry, 1, 1_000)
            } else if errno != EINTR {
                return false
            }
        }
        return true
    }
}
