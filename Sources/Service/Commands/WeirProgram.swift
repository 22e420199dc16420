import Glibc
import TransportSecurity

/// The whole of the executable.
package enum WeirProgram {
    /// Runs the command line's command and ends the process with its status.
    package static func main() -> Never {
        // A closed pipe is an error of the write, not the end of the process.
        signal(SIGPIPE, SIG_IGN)
        // Before anything uses OpenSSL. A preloaded library may have: then records cost a little more.
        let isKept = RecordMemory.keepForNextRecord()
        assert(isKept, "nothing uses OpenSSL before the program begins")
        exit(WeirCommand().run(CommandLine.arguments.dropFirst()))
    }
}
