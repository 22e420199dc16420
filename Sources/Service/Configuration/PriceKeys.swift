import Pricing
import StreamBytes

/// The models that the price lists price, and the currencies that they know.
enum PriceKeys: Equatable {
    case notNeeded
    case known(models: [String], currencies: Set<String>)
    /// The whole sentence.
    case unreadable(String)

    /// What is priced from an instant on: by the list in force then, and by every later one.
    init(
        paths: [String],
        from now: WallTime,
        _ readFile: (String) throws(FileError) -> [UInt8]
    ) {
        do throws(PriceListRefused) {
            let lists = try readPriceBook(paths, readFile).lists
            let current = lists.lastIndex { $0.effectiveFrom <= now } ?? 0
            let models = lists[current...].map { Set($0.models.keys) }
            let currencies = lists[current...].map { Set($0.currencyDecimals.keys) }
            self = .known(
                models: models.dropFirst().reduce(models[0]) { $0.intersection($1) }.sorted(),
                currencies: currencies.dropFirst().reduce(currencies[0]) { $0.intersection($1) }
            )
        } catch {
            self = .unreadable(error.description)
        }
    }
}

extension PriceListError {
    /// Reads as the rest of a sentence that starts with the list.
    var explanation: String {
        switch self {
        case .notJSON(let reason): "is no JSON: \(reason)"
        case .missing(let place): "has no \(place)"
        case .wrongType(let place): "has something of the wrong kind at \(place)"
        case .invalid(let place, let expected): "should have \(expected) at \(place)"
        }
    }
}

extension PriceBookError {
    var explanation: String {
        switch self {
        case .empty: "there is none"
        case .changed(let version): "the version \(version) stands for two different lists"
        case .sameInstant(let versions):
            "\(versions.joined(separator: " and ")) come into force at the same instant; "
                + "effective_from tells them apart"
        }
    }
}
