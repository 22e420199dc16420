/// Wrong usage; the message says what to do instead.
struct UsageError: Error, Equatable {
    let message: String
    let suggestion: String?

    init(_ message: String, suggestion: String? = nil) {
        self.message = message
        self.suggestion = suggestion
    }

    var text: String { message + (suggestion.map { "; did you mean \"\($0)\"?" } ?? "") }
}

/// Reads the arguments of one command: `--name value`, `--name=value`, `--`, and operands.
struct ArgumentParser {
    let command: Command

    /// - Returns: nil when help was asked for.
    func parse(_ arguments: ArraySlice<String>) throws(UsageError) -> CommandOptions? {
        var options = CommandOptions()
        var rest = arguments
        var isOnlyOperands = false
        while let argument = rest.popFirst() {
            if isOnlyOperands || !argument.hasPrefix("-") || argument == "-" {
                options.operands.append(argument)
            } else if argument == "--" {
                isOnlyOperands = true
            } else if argument == "--help" || argument == "-h" {
                return nil
            } else {
                try apply(argument, &rest, to: &options)
            }
        }
        try check(options.operands)
        return options
    }

    private func apply(
        _ argument: String,
        _ rest: inout ArraySlice<String>,
        to options: inout CommandOptions
    ) throws(UsageError) {
        let parts = argument.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        let name = String(parts[0])
        guard let option = command.options.first(where: { $0.name == name }) else {
            throw UsageError(
                "weir \(command.name) has no option \(name.printable)",
                suggestion: Suggestion.nearest(
                    to: name,
                    among: command.options.map(\.name) + ["--help"]
                )
            )
        }
        let attached = parts.count == 2 ? String(parts[1]) : nil
        guard let valueName = option.value else {
            if attached != nil { throw UsageError("\(name) takes no value") }
            return option.apply(&options, "")
        }
        guard let value = attached ?? rest.popFirst(), !value.isEmpty else {
            throw UsageError("\(name) needs a value: \(name) \(valueName)")
        }
        option.apply(&options, value)
    }

    private func check(_ operands: [String]) throws(UsageError) {
        if operands.count < command.operandCount.lowerBound {
            throw UsageError("weir \(command.name) needs \(command.operands)")
        }
        if operands.count > command.operandCount.upperBound {
            let extra = operands[command.operandCount.upperBound]
            throw UsageError(
                "weir \(command.name) does not know what to do with \(extra.printable)"
            )
        }
    }
}
