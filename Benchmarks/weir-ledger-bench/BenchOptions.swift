import Glibc
import Ledger
import Pricing

/// What the command line asks for.
struct BenchOptions {
    let mode: String
    private(set) var records = 200_000
    private(set) var batch = 2_000
    private(set) var connections = 1
    private(set) var plan: UInt64?
    private(set) var from = 0
    private(set) var url: String?

    init(_ arguments: ArraySlice<String>) throws {
        var rest = arguments
        guard let mode = rest.popFirst() else { throw BenchError("what is to be done?") }
        self.mode = mode
        while let name = rest.popFirst() {
            guard let value = rest.popFirst() else { throw BenchError("\(name) needs a value") }
            switch name {
            case "--ledger": url = value
            case "--records": records = try Self.number(name, value)
            case "--batch": batch = try Self.number(name, value)
            case "--connections": connections = max(1, try Self.number(name, value))
            case "--from": from = try Self.number(name, value)
            case "--plan": plan = UInt64(try Self.number(name, value))
            default: throw BenchError("there is no option \(name)")
            }
        }
    }

    private static func number(_ name: String, _ text: String) throws -> Int {
        guard let number = Int(text), number >= 0 else {
            throw BenchError("\(name) is a whole number, not \(text)")
        }
        return number
    }

    var database: LedgerDatabase {
        get throws {
            guard let url else { throw BenchError("--ledger is needed") }
            guard url.hasPrefix("sqlite:") else {
                return .postgresql(PostgreSQLLedgerConfiguration(url: url))
            }
            return .sqlite(SQLiteLedgerConfiguration(path: String(url.dropFirst(7))))
        }
    }
}

struct BenchError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

func readPrices() throws -> PriceBook {
    let path = "Config/prices.json"
    guard let file = unsafe fopen(path, "re") else { throw BenchError("\(path) cannot be read") }
    defer { unsafe fclose(file) }
    var bytes = [UInt8](repeating: 0, count: 1 << 20)
    let count = unsafe fread(&bytes, 1, bytes.count, file)
    return PriceBook(try PriceList(parsing: Array(bytes.prefix(count))))
}
