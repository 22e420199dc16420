import StreamBytes

/// Writes one JSON object, member by member.
struct JSONObjectWriter {
    private var output: [UInt8] = [UInt8(ascii: "{")]

    var bytes: [UInt8] { output + [UInt8(ascii: "}")] }

    mutating func add(_ name: StaticString, _ value: String) {
        begin(name)
        output.append(jsonString: value)
    }

    /// Adds a number; nil is written as `null`.
    mutating func add(_ name: StaticString, _ value: Int64?) {
        begin(name)
        if let value { output.append(decimal: value) } else { output.append("null") }
    }

    /// Adds a fraction with `digits` decimals.
    mutating func add(_ name: StaticString, thousandths value: Int64) {
        begin(name)
        output.append(decimal: value / 1_000)
        output.append(".")
        let rest = String(value % 1_000)
        output.append(contentsOf: String(repeating: "0", count: 3 - rest.utf8.count).utf8)
        output.append(contentsOf: rest.utf8)
    }

    /// Adds a value that is JSON already.
    mutating func add(_ name: StaticString, raw value: [UInt8]) {
        begin(name)
        output.append(contentsOf: value)
    }

    private mutating func begin(_ name: StaticString) {
        if output.count > 1 { output.append(",") }
        output.append("\"")
        output.append(name)
        output.append("\":")
    }
}
