import Glibc
import StreamBytes
import Synchronization

/// Whether the user asked for the end; set by the signal's handler, which may do nothing else.
private let wantsEnd = Atomic<Bool>(false)

/// Runs the program and ends the process with its status.
package func runLoadCommand(_ arguments: [String]) -> Never {
    if arguments.contains("--help") || arguments.contains("-h") {
        print(LoadOptions.usage)
        exit(0)
    }
    do throws(LoadOptionError) {
        exit(LoadCommand(try LoadOptions(parsing: arguments)).run())
    } catch {
        LoadCommand.complain("\(error)\n\n\(LoadOptions.usage)")
        exit(2)
    }
}

private struct LoadCommand {
    private let options: LoadOptions
    private let isTerminal = isatty(STDERR_FILENO) == 1

    init(_ options: LoadOptions) { self.options = options }

    func run() -> Int32 {
        for number in [SIGINT, SIGTERM] {
            signal(number) { _ in wantsEnd.store(true, ordering: .relaxed) }
        }
        do throws(LoadRunError) {
            let result = try LoadRun(options).run(
                progress: show,
                isInterrupted: { wantsEnd.load(ordering: .relaxed) }
            )
            return report(LoadReport(result, expectations: options.expectations))
        } catch {
            Self.complain("\(error)")
            return 1
        }
    }

    private func show(_ progress: LoadProgress) {
        guard isTerminal else { return }
        Self.write("\r\(progress.line)\u{1B}[K", to: STDERR_FILENO)
    }

    private func report(_ report: LoadReport) -> Int32 {
        if isTerminal { Self.write("\r\u{1B}[K", to: STDERR_FILENO) }
        Self.write(report.table, to: STDOUT_FILENO)
        if let path = options.jsonPath, !save(report.json, to: path) {
            Self.complain("cannot write \(path)")
            return 1
        }
        return report.isAsExpected ? 0 : 1
    }

    private func save(_ text: String, to path: String) -> Bool {
        let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { return false }
        let isWritten = Self.write(text, to: descriptor)
        return close(descriptor) == 0 && isWritten
    }

    static func complain(_ text: String) { write("weir-load: \(text)\n", to: STDERR_FILENO) }

    @discardableResult
    static func write(_ text: String, to descriptor: Int32) -> Bool {
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes {
                unsafe Glibc.write(descriptor, $0.baseAddress, $0.count)
            }
            guard count > 0 || errno == EINTR else { return false }
            rest = rest.dropFirst(max(0, count))
        }
        return true
    }
}
