import CLinux

/// A thread of the operating system, with the signals that are for the whole process blocked.
package struct NativeThread: Sendable {
    private let number: UInt64

    private final class Start: Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }

    /// Starts the thread.
    ///
    /// - Parameters:
    ///   - name: shown by the system's tools; its first 15 bytes.
    ///   - body: what it runs; the thread ends with it.
    /// - Throws: `SocketError.system` when the system refuses another thread.
    package init(named name: String, _ body: @escaping @Sendable () -> Void) throws(SocketError) {
        let start = unsafe Unmanaged.passRetained(Start(body))
        var number: UInt64 = 0
        let outcome = unsafe CLinux_start_thread(
            &number,
            name,
            { context in
                guard let context = unsafe context else { return }
                unsafe Unmanaged<Start>.fromOpaque(context).takeRetainedValue().body()
            },
            start.toOpaque()
        )
        guard outcome == 0 else {
            unsafe start.release()
            throw .system(-outcome)
        }
        self.number = number
    }

    /// Waits for the thread's end; call once.
    package func join() {
        let outcome = CLinux_join_thread(number)
        precondition(outcome == 0, "a thread is joined once, and not by itself")
    }
}
