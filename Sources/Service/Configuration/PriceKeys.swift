import FoundationEssentials

/// The models that the price list prices.
enum PriceKeys: Equatable {
    case notNeeded
    case known([String])
    case unreadable(String)

    private struct Document: Decodable {
        struct Model: Decodable {}
        let models: [String: Model]
    }

    init(path: String, _ readFile: (String) throws(FileError) -> [UInt8]) {
        do throws(FileError) {
            let bytes = try readFile(path)
            let document = try? JSONDecoder().decode(Document.self, from: Data(bytes))
            self =
                document.map { .known($0.models.keys.sorted()) }
                ?? .unreadable("is no price list: it holds no JSON object with models")
        } catch {
            self = .unreadable("\(error)")
        }
    }
}
