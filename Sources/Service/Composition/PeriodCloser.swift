import Ledger
import Metering
import Pricing
import StreamBytes
import Telemetry

/// Closes the months that are over, as long as the process runs.
///
/// A month waits for its grace, and for the slowest biller: as long as Redis has something that was
/// received in its grace and is in no ledger yet.
package struct PeriodCloser: Sendable {
    private static let pause = Duration.seconds(60)
    /// Months that are looked up in one go.
    private static let limit = 200

    private let ledger: DatabaseLedger
    private let bookedThrough: @Sendable () async throws -> WallTime
    private let log: any LogSink

    /// - Parameters:
    ///   - ledger: keeps the months.
    ///   - log: gets a line for each that was closed.
    ///   - bookedThrough: says up to when everything that was received is booked.
    package init(
        _ ledger: DatabaseLedger,
        log: any LogSink,
        bookedThrough: @escaping @Sendable () async throws -> WallTime
    ) {
        self.ledger = ledger
        self.log = log
        self.bookedThrough = bookedThrough
    }

    /// Works until the task is cancelled.
    package func run() async {
        while !Task.isCancelled {
            do {
                // Where there are more, they are looked for at once.
                while try await turn() == Self.limit, !Task.isCancelled {}
            } catch {
                warn(error)
            }
            try? await Task.sleep(for: Self.pause)
        }
    }

    /// Closes what can be closed, each month in a transaction of its own, so that no batch of records
    /// waits for more than one.
    ///
    /// - Returns: how many were closed.
    /// - Throws: what keeps it from closing any.
    package func turn() async throws -> Int {
        // Most of the time nothing is due, and Redis need not be asked.
        let always = WallTime(milliseconds: .max)
        guard let first = try await ledger.duePeriods(bookedThrough: always, limit: 1).first else {
            return 0
        }
        let through = try await bookedThrough()
        let due = try await ledger.duePeriods(bookedThrough: through, limit: Self.limit)
        if due.isEmpty {
            log.write(
                LogLine(.warning, "period_waits").with("account", first.account)
                    .with("period", first.month.description)
                    .with("booked_through", through.text)
            )
        }
        var count = 0
        for place in due where !Task.isCancelled {
            do throws(ChargeStoreError) {
                guard let closed = try await ledger.closePeriod(place) else { continue }
                count += 1
                log.write(LogLine(.info, "period_closed").with(closed))
            } catch {
                // What is wrong with one account's books does not keep the others' open.
                guard error.isOfOneAccount else { throw error }
                warn(error, place)
            }
        }
        return count
    }

    private func warn(_ error: any Error, _ place: AccountMonth? = nil) {
        let reason = (error as? ChargeStoreError)?.explanation ?? "\(error)"
        log.write(
            LogLine(.warning, "period_close").with("account", place?.account)
                .with("period", place?.month.description).with("reason", reason)
        )
    }
}

extension ChargeStoreError {
    /// Whether it may be due to what one account's rows say, and not to the ledger.
    fileprivate var isOfOneAccount: Bool {
        switch self {
        case .damaged, .failed: true
        default: false
        }
    }
}

extension LogLine {
    fileprivate func with(_ closed: ClosedPeriod) -> LogLine {
        with("account", closed.place.account).with("period", closed.place.month.description)
            .with("charge_usd", closed.charge.description)
            .with("gross", "\(closed.gross) \(closed.currency)")
    }
}
