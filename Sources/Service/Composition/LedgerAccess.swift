import Ledger
import Pricing
import Reactor
import StreamBytes
import Telemetry

/// A process's way to its ledger: where it is, and whether it is there.
final class LedgerAccess: Sendable {
    /// An answer that takes longer than this is not waited for where it can be helped.
    private static let patience = Duration.seconds(2)

    private let database: LedgerDatabase
    /// The place, for people.
    private let place: String
    private let log: any LogSink
    private let state = Guarded(State())

    private struct State {
        var problem: LedgerRefused?
        var lookingSince: MonotonicTime?
        /// Whether it was opened, or never will be.
        var isSettled = false
    }

    init(_ configuration: WeirConfiguration, log: any LogSink) {
        database = configuration.ledgerDatabase
        place = configuration.ledgerPlace
        self.log = log
    }

    /// Whether the ledger could not be used last, or has not answered for a while.
    var isAway: Bool { isSilent || state.withLock { $0.problem != nil } }

    /// Whether the ledger has not answered for a while; whoever asks it more has to wait as well.
    var isSilent: Bool {
        let since = state.withLock(\.lookingSince)
        return since.map { MonotonicTime.now - $0 > Self.patience } ?? false
    }

    func refusal(_ error: ChargeStoreError) -> LedgerRefused {
        LedgerRefused(error, at: place, mayPass: database.mayPass(error))
    }

    /// Why other price lists cannot be used yet.
    var refusalOfLists: LedgerRefused {
        LedgerRefused(
            "it is away, and price lists are exchanged only when it has taken the new ones",
            at: place,
            mayPass: true
        )
    }

    /// Opens the ledger; waits for one that is away.
    ///
    /// - Returns: what records are to be rated by.
    /// - Throws: `LedgerRefused`: what waiting cannot cure; `CancellationError`.
    func open(_ ledgers: PartitionLedgers, _ prices: PriceBook) async throws -> PriceBook {
        defer { state.withLock { $0.isSettled = true } }
        var backoff = Backoff(shortest: .milliseconds(100), longest: .seconds(5))
        var isSaid = false
        while true {
            let outcome = await look { () async throws(ChargeStoreError) in
                try await ledgers.open(prices)
            }
            switch outcome {
            case .success(let book):
                if isSaid { log.write(LogLine(.info, "billing").with("state", "working")) }
                return book
            case .failure(let refusal):
                guard refusal.mayPass else { throw refusal }
                if !isSaid {
                    log.write(
                        LogLine(.warning, "billing").with("state", "waiting")
                            .with("reason", refusal.description)
                    )
                }
                isSaid = true
                try await Task.sleep(for: backoff.next(randomBits: .random(in: 0 ... .max)))
            }
        }
    }

    /// Waits a moment for the end of `open`.
    ///
    /// - Returns: whether it has ended.
    func isSettledSoon() async -> Bool {
        await waitUntil(.now + Self.patience) { [state] in
            state.withLock { $0.isSettled || $0.problem?.mayPass == true }
        }
        return state.withLock(\.isSettled)
    }

    /// Asks the ledger, and remembers whether it answered.
    @discardableResult
    func look<Answer: Sendable>(
        _ question: () async throws(ChargeStoreError) -> Answer
    ) async -> Result<Answer, LedgerRefused> {
        state.withLock { $0.lookingSince = MonotonicTime.now }
        defer { state.withLock { $0.lookingSince = nil } }
        do throws(ChargeStoreError) {
            let answer = try await question()
            state.withLock { $0.problem = nil }
            return .success(answer)
        } catch {
            let refusal = refusal(error)
            state.withLock { $0.problem = refusal }
            return .failure(refusal)
        }
    }
}
