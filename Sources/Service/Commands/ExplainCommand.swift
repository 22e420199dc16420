import Ledger
import Pricing

/// `weir explain RECORD`.
struct ExplainCommand {
    let console: Console

    func run(_ options: CommandOptions) -> Int32 {
        do {
            let configuration = try options.configurationLoader.load().configuration
            let id = options.operands[0]
            do throws(ChargeStoreError) {
                return show(try configuration.ledgerDatabase.explain(id), id)
            } catch {
                throw LedgerRefused(error, at: configuration.ledgerPlace)
            }
        } catch {
            console.complain("weir: \(error)")
            return 1
        }
    }

    private func show(_ record: ExplainedRecord, _ id: String) -> Int32 {
        switch record {
        case .charged(let explanation, let differences):
            for line in explanation.lines { console.print(line) }
            for difference in differences { console.complain("weir: \(difference)") }
            if !differences.isEmpty {
                console.complain("weir: the ledger was changed; weir ledger verify names it all")
            }
            return differences.isEmpty ? 0 : 1
        case .setAside(let reasons):
            console.print("\(id.printable) costs nothing, it was set aside:")
            for reason in reasons { console.print("  \(reason)") }
            return 0
        case .unknown:
            console.complain("weir: the ledger has no record \(id.printable)")
            return 1
        }
    }
}
