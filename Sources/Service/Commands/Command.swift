/// One command of `weir`.
struct Command: Sendable {
    let name: String
    /// What follows the name, in help: `create|list|revoke`.
    var operands = ""
    /// How many operands there may be.
    var operandCount = 0...0
    let summary: String
    /// More about it, for its own help.
    var details = ""
    let options: [CommandOption]
    /// Returns the exit status.
    let run: @Sendable (CommandOptions, Console) -> Int32

    /// The text of `weir help NAME`.
    var help: String {
        var lines = ["usage: weir \(name)" + (operands.isEmpty ? "" : " \(operands)")]
        if !options.isEmpty { lines[0] += " [options]" }
        lines += ["", summary]
        if !details.isEmpty { lines += ["", details] }
        if !options.isEmpty {
            lines += ["", "options:"]
            lines += Self.table(
                options.map { ($0.name + ($0.value.map { " \($0)" } ?? ""), $0.summary) }
            )
        }
        return lines.joined(separator: "\n")
    }

    /// Returns two columns, the second aligned.
    static func table(_ rows: [(String, String)]) -> [String] {
        let width = rows.map(\.0.count).max() ?? 0
        return rows.map { left, right in
            "  \(left)\(String(repeating: " ", count: width - left.count))  \(right)"
        }
    }
}
