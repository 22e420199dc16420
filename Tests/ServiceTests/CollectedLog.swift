import Reactor
import Telemetry

/// A log that tests read.
final class CollectedLog: LogSink {
    private let collected = Guarded<[LogLine]>([])

    var lines: [LogLine] { collected.withLock { $0 } }
    var events: [String] { lines.map(\.event) }

    func write(_ line: LogLine) { collected.withLock { $0.append(line) } }
}
