import Foundation
import Synchronization

/// A program that a test started.
///
/// It inherits its three standard streams and nothing else. `Foundation.Process` learns of an end by
/// a descriptor that programs started at the same moment inherit, so that the end of one seems to
/// wait for the end of others.
package final class ChildProgram: Sendable {
    /// Why a program could not be started.
    package struct NotStarted: Error, CustomStringConvertible {
        package let description: String
    }

    /// The files behind the standard streams; nil is the null device.
    package struct Streams {
        package var input: String?
        package var output: String?
        package var errors: String?

        package init(input: String? = nil, output: String? = nil, errors: String? = nil) {
            self.input = input
            self.output = output
            self.errors = errors
        }
    }

    package let processID: pid_t
    /// What `waitpid` told; nil while it was not asked or the program runs.
    private let ending = Mutex<Int32?>(nil)

    /// Starts a program.
    ///
    /// - Parameters:
    ///   - words: the program, looked for in `PATH` unless it holds a slash, and its arguments.
    ///   - environment: all of it; nil: this process' own.
    ///   - folder: where it starts; nil: where the tests run.
    ///   - streams: its standard streams.
    /// - Throws: `NotStarted`.
    package init(
        _ words: [String],
        environment: [String: String]? = nil,
        in folder: String? = nil,
        streams: Streams = Streams()
    ) throws {
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        let output = O_WRONLY | O_CREAT | O_APPEND
        unsafe Self.open(&actions, 0, streams.input, O_RDONLY)
        unsafe Self.open(&actions, 1, streams.output, output)
        unsafe Self.open(&actions, 2, streams.errors, output)
        for name in try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd") {
            guard let descriptor = Int32(name), descriptor > 2 else { continue }
            unsafe posix_spawn_file_actions_addclose(&actions, descriptor)
        }
        let words = folder.map { ["env", "--chdir=\($0)"] + words } ?? words
        let all = environment ?? ProcessInfo.processInfo.environment
        processID = try unsafe Self.spawn(words, all.map { "\($0)=\($1)" }, &actions)
    }

    private static func open(
        _ actions: inout posix_spawn_file_actions_t,
        _ descriptor: Int32,
        _ path: String?,
        _ flags: Int32
    ) {
        unsafe posix_spawn_file_actions_addopen(
            &actions,
            descriptor,
            path ?? "/dev/null",
            flags,
            0o600
        )
    }

    private static func spawn(
        _ words: [String],
        _ environment: [String],
        _ actions: inout posix_spawn_file_actions_t
    ) throws -> pid_t {
        var attributes = posix_spawnattr_t()
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        unsafe sigemptyset(&signals)
        unsafe posix_spawnattr_setsigmask(&attributes, &signals)
        unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        var arguments = unsafe words.map { unsafe strdup($0) } + [nil]
        var variables = unsafe environment.map { unsafe strdup($0) } + [nil]
        defer {
            for index in unsafe arguments.indices { unsafe free(arguments[index]) }
            for index in unsafe variables.indices { unsafe free(variables[index]) }
        }
        var child: pid_t = 0
        let outcome = unsafe posix_spawnp(
            &child,
            words[0],
            &actions,
            &attributes,
            &arguments,
            &variables
        )
        guard outcome == 0 else {
            throw NotStarted(
                description: "\(words[0]): \(unsafe String(cString: strerror(outcome)))"
            )
        }
        return child
    }

    deinit { kill() }

    /// Its exit status, or 128 and the signal's number; nil while it runs.
    package var status: Int32? { collect(WNOHANG) }

    /// Waits for its end, on the thread that calls.
    ///
    /// - Returns: the status.
    @discardableResult
    package func wait() -> Int32 { collect(0) ?? -1 }

    package func signal(_ number: Int32) {
        ending.withLock { if $0 == nil { _ = Foundation.kill(processID, number) } }
    }

    /// Ends it without asking, and waits until it is gone.
    package func kill() {
        signal(SIGKILL)
        wait()
    }

    private func collect(_ options: Int32) -> Int32? {
        ending.withLock { ending in
            if let ending { return ending }
            var told: Int32 = 0
            var outcome: pid_t
            repeat {
                outcome = unsafe waitpid(processID, &told, options)
            } while outcome == -1 && errno == EINTR
            guard outcome == processID else { return nil }
            let signal = told & 0x7F
            ending = signal == 0 ? (told >> 8) & 0xFF : 128 + signal
            return ending
        }
    }
}
