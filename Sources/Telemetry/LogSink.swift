/// Where lines of the log go; call from any thread.
package protocol LogSink: Sendable {
    /// Takes the line and returns at once; a sink that cannot keep up drops lines and counts them.
    func write(_ line: LogLine)
}

/// A log that nobody reads.
package struct NoLog: LogSink {
    package init() {}

    package func write(_ line: LogLine) {}
}
