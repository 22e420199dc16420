import Glibc

/// Where commands print; tests have one of their own.
package struct Console: Sendable {
    private let writeOutput: @Sendable (String) -> Void
    private let writeError: @Sendable (String) -> Void

    package init(
        output: @escaping @Sendable (String) -> Void,
        errors: @escaping @Sendable (String) -> Void
    ) {
        writeOutput = output
        writeError = errors
    }

    /// The standard output and the standard error; what they do not take is lost.
    package static let standard = Console(
        output: { text in try? Files.writeAll(Array(text.utf8), to: STDOUT_FILENO) },
        errors: { text in try? Files.writeAll(Array(text.utf8), to: STDERR_FILENO) }
    )

    /// Prints a line of what was asked for.
    package func print(_ line: String) { writeOutput(line + "\n") }

    /// Prints a line about what went wrong.
    package func complain(_ line: String) { writeError(line + "\n") }
}
