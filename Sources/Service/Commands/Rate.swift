import Pricing

/// Runs `weir rate CASES`.
func runRate(_ options: CommandOptions, _ console: Console) -> Int32 {
    do {
        let paths = try options.configurationLoader.load().configuration.prices
        let prices = try readPriceBook(paths)
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

/// Reads the price lists of some files.
///
/// - Throws: `PriceListRefused`.
package func readPriceBook(
    _ paths: [String],
    _ readFile: (String) throws(FileError) -> [UInt8] = { path throws(FileError) in
        try Files.read(path, limit: 16_777_216)
    }
) throws(PriceListRefused) -> PriceBook {
    var lists: [PriceList] = []
    for path in paths {
        let bytes: [UInt8]
        do {
            bytes = try readFile(path)
        } catch {
            throw PriceListRefused(description: "the price list \(path) \(error)")
        }
        do {
            lists += try PriceList.lists(parsing: bytes)
        } catch {
            throw PriceListRefused(description: "the price list \(path) \(error.explanation)")
        }
    }
    do {
        return try PriceBook(lists)
    } catch {
        let files = paths.joined(separator: ", ")
        throw PriceListRefused(description: "the price lists (\(files)): \(error.explanation)")
    }
}

/// Why there are no prices, in one sentence.
package struct PriceListRefused: Error, Equatable, CustomStringConvertible {
    package let description: String
}
