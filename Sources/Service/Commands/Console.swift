import Glibc

/// Where commands print; tests have one of their own.
package struct Console: Sendable {
    private let writeOutput: @Sendable (String) -> Void
    private let writeError: @Sendable (String) -> Void
    private let showsProgress: Bool

    package init(
        output: @escaping @Sendable (String) -> Void,
        errors: @escaping @Sendable (String) -> Void,
        showsProgress: Bool = false
    ) {
        writeOutput = output
        writeError = errors
        self.showsProgress = showsProgress
    }

    /// The standard output and the standard error; what they do not take is lost.
    package static let standard = Console(
        output: { text in try? Files.writeAll(Array(text.utf8), to: STDOUT_FILENO) },
        errors: { text in try? Files.writeAll(Array(text.utf8), to: STDERR_FILENO) },
        showsProgress: isatty(STDERR_FILENO) == 1
    )

    /// Prints a line of what was asked for.
    package func print(_ line: String) { writeOutput(line + "\n") }

    /// Shows how far long work is, on a terminal, in place of what it showed before; the empty text
    /// takes it away.
    package func showProgress(_ text: String) {
        if showsProgress { writeError("\r\u{1B}[K\(text)") }
    }

    /// Prints a line about what went wrong.
    package func complain(_ line: String) { writeError(line + "\n") }
}
