import Pricing

/// Runs `weir rate CASES`.
func runRate(_ options: CommandOptions, _ console: Console) -> Int32 {
    do {
        let path = try options.configurationLoader.load().configuration.prices
        let prices = try readPriceList(path)
        let summary = rateCases(
            at: options.operands[0],
            prices: prices,
            output: console.print,
            complaint: { console.complain("weir: \($0)") }
        )
        return summary?.exitStatus ?? 1
    } catch {
        console.complain("weir: \(error)")
        return 1
    }
}

/// Reads the price list.
///
/// - Throws: `PriceListRefused`.
package func readPriceList(_ path: String) throws(PriceListRefused) -> PriceList {
    let bytes: [UInt8]
    do {
        bytes = try Files.read(path, limit: 16_777_216)
    } catch {
        throw PriceListRefused(description: "the price list \(path) \(error)")
    }
    do {
        return try PriceList(parsing: bytes)
    } catch {
        throw PriceListRefused(description: "the price list \(path) \(error.explanation)")
    }
}

/// Why there are no prices, in one sentence.
package struct PriceListRefused: Error, Equatable, CustomStringConvertible {
    package let description: String
}
