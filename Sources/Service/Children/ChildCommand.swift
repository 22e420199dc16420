import Glibc

/// A program to run as a child.
package struct ChildCommand: Sendable {
    /// The program's path.
    package let path: String
    /// Without the program's own name.
    package let arguments: [String]
    /// Takes its output, appended; made with mode 0600.
    package let logPath: String
    /// Locked for as long as the child, or what it leaves behind, is alive.
    package let lockPath: String

    package init(path: String, arguments: [String], logPath: String, lockPath: String) {
        self.path = path
        self.arguments = arguments
        self.logPath = logPath
        self.lockPath = lockPath
    }

    /// Returns where `PATH` finds a program.
    package static func find(_ name: String, in environment: [String: String]) -> String? {
        let path = environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin"
        let places = path.split(separator: ":") + ["/usr/bin", "/usr/sbin", "/sbin"]
        return places.map { "\($0)/\(name)" }.first { unsafe access($0, X_OK) == 0 }
    }

    /// Waits until no earlier child holds the lock.
    ///
    /// - Returns: the locked descriptor; nil when the lock was not free in time.
    func takeLock(atMost limit: Duration) throws(FileError) -> Int32? {
        let descriptor = try Files.open(lockPath, O_RDWR | O_CREAT | O_CLOEXEC, mode: 0o600)
        let deadline = MonotonicTimeLimit(limit)
        while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
            guard errno == EWOULDBLOCK || errno == EINTR else {
                let number = errno
                close(descriptor)
                throw FileError(number: number)
            }
            guard !deadline.isOver else {
                close(descriptor)
                return nil
            }
            usleep(20_000)
        }
        return descriptor
    }

    /// Starts the program: in a process group of its own, no signal blocked or ignored, the null
    /// device as input, and only the lock inherited (every other descriptor of this program closes
    /// when another program starts).
    ///
    /// The child gets SIGTERM when the *thread* that called this ends, however it ends, so call it
    /// on one that lives as long as the process.
    ///
    /// - Parameters:
    ///   - lock: stays open in the child.
    ///   - parentDeath: the path of `setpriv`, which asks the kernel for that signal.
    /// - Returns: the process' number.
    /// - Throws: `FileError` with the system's reason.
    func spawn(lock: Int32, parentDeath: String) throws(FileError) -> pid_t {
        var attributes = posix_spawnattr_t()
        unsafe posix_spawnattr_init(&attributes)
        defer { unsafe posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        unsafe sigemptyset(&signals)
        unsafe posix_spawnattr_setsigmask(&attributes, &signals)
        unsafe sigfillset(&signals)
        unsafe posix_spawnattr_setsigdefault(&attributes, &signals)
        unsafe posix_spawnattr_setpgroup(&attributes, 0)
        let flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETPGROUP
        unsafe posix_spawnattr_setflags(&attributes, Int16(flags))
        var actions = unsafe posix_spawn_file_actions_t()
        unsafe posix_spawn_file_actions_init(&actions)
        defer { unsafe posix_spawn_file_actions_destroy(&actions) }
        unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        let append = O_WRONLY | O_CREAT | O_APPEND
        unsafe posix_spawn_file_actions_addopen(&actions, 1, logPath, append, 0o600)
        unsafe posix_spawn_file_actions_adddup2(&actions, 1, 2)
        // Even when both numbers are equal, this clears the close-on-exec flag.
        unsafe posix_spawn_file_actions_adddup2(&actions, lock, 3)
        let words = [parentDeath, "--pdeathsig", "TERM", path] + arguments
        var pointers = unsafe words.map { unsafe strdup($0) } + [nil]
        defer { for index in unsafe pointers.indices { unsafe free(pointers[index]) } }
        var processID: pid_t = 0
        let outcome = unsafe posix_spawn(
            &processID,
            parentDeath,
            &actions,
            &attributes,
            &pointers,
            environ
        )
        guard outcome == 0 else { throw FileError(number: outcome) }
        return processID
    }
}
