import Dispatch
import Reactor
import Telemetry

package func runUp(_ options: CommandOptions) -> Int32 { run(.up, options) }

package func runServe(_ options: CommandOptions) -> Int32 {
    run(.serve(sharesPort: options.sharesPort), options)
}

package func runBill(_ options: CommandOptions) -> Int32 { run(.bill, options) }

/// Runs a process of Weir until it is told to stop.
///
/// - Returns: the exit status.
private func run(_ role: WeirRole, _ options: CommandOptions) -> Int32 {
    let console = Console.standard
    if options.takesOver {
        console.complain("weir: --takeover is not served by this version")
        return 2
    }
    do {
        let loaded = try options.configurationLoader.load()
        for warning in loaded.warnings { console.complain("weir: \(warning)") }
        let directory = try DataDirectory(loaded.configuration.data.directory)
        // First of the threads: those that follow leave the signals to it.
        let (signals, continuation) = AsyncStream.makeStream(of: ProcessSignal.self)
        let listener = try SignalListener { continuation.yield($0) }
        let log = try LogWriter()
        let process = try WeirProcess(
            role,
            options,
            loaded: loaded,
            log: log,
            console: console,
            endItself: { continuation.yield(.stop) }
        )
        let failure = waitFor { () async -> (any Error)? in
            do {
                try await process.run(signals)
                return nil
            } catch {
                return error
            }
        }
        listener.stop()
        log.close()
        _ = consume directory
        if let failure { throw failure }
        return 0
    } catch {
        console.complain("weir: \(error)")
        return 1
    }
}

/// Waits on this thread for work that is done elsewhere.
private func waitFor<Result: Sendable>(_ work: @escaping @Sendable () async -> Result) -> Result {
    let done = DispatchSemaphore(value: 0)
    let result = Guarded<Result?>(nil)
    Task.detached {
        let value = await work()
        result.withLock { $0 = value }
        done.signal()
    }
    done.wait()
    guard let value = result.withLock({ $0 }) else {
        preconditionFailure("the semaphore is signalled after the result is there")
    }
    return value
}
