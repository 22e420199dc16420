import Ledger
import Pricing
import StreamBytes

/// `weir usage`.
struct UsageCommand {
    let console: Console

    func run(_ options: CommandOptions) -> Int32 {
        let query: UsageQuery
        do throws(UsageQueryError) {
            query = try UsageQuery({ options.query[$0] }, now: WallTime.now)
        } catch {
            console.complain("weir: --\(error.text)")
            return WeirCommand.usageStatus
        }
        let format = options.query["format"] ?? "table"
        guard ["table", "csv", "json"].contains(format) else {
            console.complain("weir: --format has to be table, csv or json")
            return WeirCommand.usageStatus
        }
        do {
            let configuration = try options.configurationLoader.load().configuration
            do throws(ChargeStoreError) {
                show(try configuration.ledgerDatabase.usage(query), format)
                return 0
            } catch {
                throw LedgerRefused(error, at: configuration.ledgerPlace)
            }
        } catch {
            console.complain("weir: \(error)")
            return 1
        }
    }

    private func show(_ answer: UsageAnswer, _ format: String) {
        switch format {
        case "json": console.print(answer.json)
        case "csv":
            for line in answer.csv { console.print(line) }
            if let next = answer.report.next {
                console.complain("there is more: --after '\(next)'")
            }
        default:
            for line in answer.table { console.print(line) }
        }
    }
}
