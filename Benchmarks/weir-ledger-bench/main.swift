import Glibc
import Ledger
import LedgerLoad
import Metering
import Pricing

let usage = """
    usage: weir-ledger-bench rate [--records N]
           weir-ledger-bench store --ledger URL [--records N] [--batch N] [--connections N]
           weir-ledger-bench feed --ledger URL [--records N] [--plan SEED] [--from BATCH]
           weir-ledger-bench totals [--ledger URL] [--records N]
           weir-ledger-bench verify --ledger URL

    rate     rates records into books in memory, and says how many a second
    store    rates and stores records, the accounts divided among connections, and says how many a
             second and what memory it takes
    feed     stores records in a random order, some again, and prints each batch once it is stored
    totals   prints every total of the ledger; without one, what it has to be
    verify   works the ledger out again

    A URL is sqlite:PATH or postgresql://…. The prices are Config/prices.json.
    """

do {
    let options = try BenchOptions(CommandLine.arguments.dropFirst())
    let prices = try readPrices()
    switch options.mode {
    case "rate": rateRecords(options, prices)
    case "store": try await storeRecords(options, prices)
    case "feed": try await feedRecords(options, prices)
    case "totals": try await printTotals(options, prices)
    case "verify": exit(try verifyLedger(options))
    default: throw BenchError("there is no \(options.mode)")
    }
} catch {
    print("weir-ledger-bench: \(error)")
    print(usage)
    exit(2)
}
