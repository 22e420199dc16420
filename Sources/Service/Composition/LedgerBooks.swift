import Gateway
import Ledger
import Metering
import Pricing
import Reactor
import StreamBytes
import Telemetry

/// Answers questions about usage and bills from the ledger, a few at a time.
final class LedgerBooks: AccountBooks {
    /// Questions that may wait for their turn.
    private static let waitingLimit = 16

    private let reader: LedgerReader
    private let thread: BlockingThread
    private let log: any LogSink
    private let state: Guarded<State>

    private struct State {
        var accounts: [String: AccountTerms]
        var waiting = 0
    }

    init(_ configuration: WeirConfiguration, log: any LogSink) throws {
        thread = try BlockingThread(name: "weir-books")
        reader = LedgerReader(configuration.ledgerDatabase, on: thread)
        self.log = log
        state = Guarded(State(accounts: Self.terms(configuration.accounts)))
    }

    /// Other terms from the next answer on.
    func use(_ accounts: [AccountConfiguration]) {
        state.withLock { $0.accounts = Self.terms(accounts) }
    }

    func close() async {
        await reader.close()
        thread.stop()
    }

    func usage(_ parameters: QueryString, of account: String?) async -> BooksAnswer {
        let query: UsageQuery
        do throws(UsageQueryError) {
            query = try UsageQuery({ parameters[$0] }, now: WallTime.now)
        } catch {
            return .refused(error.text)
        }
        let limited = account.map { query.limited(to: $0) } ?? query
        return await answered { [reader] () throws(ChargeStoreError) in
            .found(Array(try await reader.usage(limited).json.utf8))
        }
    }

    func period(_ period: String, of account: String) async -> BooksAnswer {
        guard let month = CalendarMonth(text: period) else {
            return .refused("a period is a month such as 2026-01")
        }
        let terms = state.withLock { $0.accounts[account] } ?? .none
        return await answered { [reader] () throws(ChargeStoreError) in
            guard let report = try await reader.report(of: month, account, terms: terms) else {
                return .missing("nothing is billed to that account in \(month)")
            }
            return .found(Array(report.utf8))
        }
    }

    private func answered(
        _ question: @Sendable () async throws(ChargeStoreError) -> BooksAnswer
    ) async -> BooksAnswer {
        let isTaken = state.withLock { state in
            guard state.waiting < Self.waitingLimit else { return false }
            state.waiting += 1
            return true
        }
        guard isTaken else { return .unavailable("too many such questions at once") }
        defer { state.withLock { $0.waiting -= 1 } }
        do throws(ChargeStoreError) {
            return try await question()
        } catch {
            // Its words are the operator's: they may name hosts and files.
            log.write(LogLine(.warning, "ledger_unread").with("reason", error.explanation))
            return .unavailable("the ledger cannot be read now")
        }
    }

    private static func terms(_ accounts: [AccountConfiguration]) -> [String: AccountTerms] {
        var terms: [String: AccountTerms] = [:]
        for account in accounts { terms[account.id] = AccountTerms(account) }
        return terms
    }
}
