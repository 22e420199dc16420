import CLinux
import Glibc

/// What a signal asks of the program.
package enum ProcessSignal: Sendable {
    /// SIGTERM or SIGINT.
    case stop
    /// SIGHUP.
    case reload
}

/// Hears SIGTERM, SIGINT and SIGHUP on a thread of its own.
///
/// Make it first, on the main thread: the signals are blocked for the threads that start later, and
/// stay blocked. A child process that is spawned has to reset its mask.
package final class SignalListener: Sendable {
    private let thread: NativeThread
    private let descriptor: Int32
    private let stopDescriptor: Int32

    /// Starts to listen.
    ///
    /// - Parameter action: called on the listener's thread for each signal.
    /// - Throws: `SocketError` when the process lacks descriptors or threads.
    package init(_ action: @escaping @Sendable (ProcessSignal) -> Void) throws(SocketError) {
        let descriptor = CLinux_signal_descriptor()
        guard descriptor >= 0 else { throw SocketError(errorNumber: -descriptor) }
        let stopDescriptor = CLinux_eventfd()
        guard stopDescriptor >= 0 else {
            CLinux_close(descriptor)
            throw SocketError(errorNumber: -stopDescriptor)
        }
        self.descriptor = descriptor
        self.stopDescriptor = stopDescriptor
        do throws(SocketError) {
            thread = try NativeThread(named: "signals") {
                Self.listen(descriptor, stopDescriptor, action)
            }
        } catch {
            CLinux_close(descriptor)
            CLinux_close(stopDescriptor)
            throw error
        }
    }

    /// Ends the thread and waits for it; signals that come later wait in the system.
    ///
    /// Call once.
    package func stop() {
        CLinux_eventfd_signal(stopDescriptor)
        thread.join()
        CLinux_close(stopDescriptor)
        CLinux_close(descriptor)
    }

    private static func listen(
        _ descriptor: Int32,
        _ stopDescriptor: Int32,
        _ action: (ProcessSignal) -> Void
    ) {
        while true {
            switch CLinux_wait_signal(descriptor, stopDescriptor) {
            case SIGTERM, SIGINT: action(.stop)
            case SIGHUP: action(.reload)
            default: return
            }
        }
    }
}
