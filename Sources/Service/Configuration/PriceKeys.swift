import Pricing

/// The models that the price list prices.
enum PriceKeys: Equatable {
    case notNeeded
    case known([String])
    /// Reads as the rest of a sentence that starts with the list.
    case unreadable(String)

    init(path: String, _ readFile: (String) throws(FileError) -> [UInt8]) {
        let bytes: [UInt8]
        do {
            bytes = try readFile(path)
        } catch {
            self = .unreadable("\(error)")
            return
        }
        do {
            self = .known(try PriceList(parsing: bytes).models.keys.sorted())
        } catch {
            self = .unreadable(error.explanation)
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
