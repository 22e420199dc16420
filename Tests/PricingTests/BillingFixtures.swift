import FoundationEssentials
import Pricing
import Testing

/// The worked cases and their price list.
enum BillingFixtures {
    private static let root = root(of: #filePath)

    static func text(_ path: String) throws -> String {
        try String(contentsOfFile: "\(root)/\(path)", encoding: .utf8)
    }

    static func prices() throws -> PriceList {
        try PriceList(parsing: Array(text("Tests/Fixtures/billing/prices.json").utf8))
    }

    static func book() throws -> PriceBook { PriceBook(try prices()) }

    /// The price list with some texts replaced, as another version.
    static func prices(
        version: String,
        effectiveFrom: String?,
        _ replacements: [(String, String)] = []
    ) throws -> PriceList {
        var text = try text("Tests/Fixtures/billing/prices.json")
        let effective = effectiveFrom.map { ", \"effective_from\": \"\($0)\"" } ?? ""
        let version = ("\"2026-01-01\"", "\"\(version)\"\(effective)")
        for (old, new) in [version] + replacements {
            text = text.split(separator: old, omittingEmptySubsequences: false).joined(
                separator: new
            )
        }
        return try PriceList(parsing: Array(text.utf8))
    }

    static func cases() throws -> [String] {
        try text("Tests/Fixtures/billing/cases.jsonl").split(separator: "\n").map(String.init)
    }

    private static func root(of file: String) -> String {
        file.split(separator: "/").dropLast(3).map { "/\($0)" }.joined()
    }
}

/// A JSON value, for comparing what is expected with what came.
enum JSONValue: Decodable, Equatable {
    case text(String)
    case flag(Bool)
    case number(Int64)
    case list([JSONValue])
    case object([String: JSONValue])

    init(from decoder: any Decoder) throws {
        let single = try decoder.singleValueContainer()
        if let flag = try? single.decode(Bool.self) {
            self = .flag(flag)
        } else if let number = try? single.decode(Int64.self) {
            self = .number(number)
        } else if let text = try? single.decode(String.self) {
            self = .text(text)
        } else if let list = try? single.decode([JSONValue].self) {
            self = .list(list)
        } else {
            self = .object(try single.decode([String: JSONValue].self))
        }
    }

    init(parsing text: String) throws {
        self = try JSONDecoder().decode(Self.self, from: Data(text.utf8))
    }

    subscript(key: String) -> JSONValue? {
        guard case .object(let members) = self else { return nil }
        return members[key]
    }
}
