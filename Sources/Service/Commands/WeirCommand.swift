/// The program `weir`: finds the command and runs it.
package struct WeirCommand: Sendable {
    /// Wrong usage, as the exit status says it.
    package static let usageStatus: Int32 = 2
    package static let version = "0.1.0"

    private let console: Console
    private let commands: [Command]

    package init(console: Console = .standard) {
        self.init(console: console, commands: Command.all)
    }

    init(console: Console, commands: [Command]) {
        self.console = console
        self.commands = commands
    }

    /// Runs the command that `arguments` name; the program's own name is not among them.
    ///
    /// - Returns: the exit status: 0 after success, 1 after failure, 2 on wrong usage.
    package func run(_ arguments: some Sequence<String>) -> Int32 {
        var rest = Array(arguments)[...]
        guard let first = rest.popFirst() else {
            console.complain(overview)
            return Self.usageStatus
        }
        switch first {
        case "help", "--help", "-h": return help(rest)
        case "version", "--version", "-V":
            console.print("weir \(Self.version)")
            return 0
        default: return runCommand(first, rest)
        }
    }

    private func runCommand(_ name: String, _ arguments: ArraySlice<String>) -> Int32 {
        do throws(UsageError) {
            let command = try command(name)
            guard let options = try ArgumentParser(command: command).parse(arguments) else {
                console.print(command.help)
                return 0
            }
            return command.run(options, console)
        } catch {
            return complain(error, help: commands.contains { $0.name == name } ? name : nil)
        }
    }

    private func help(_ arguments: ArraySlice<String>) -> Int32 {
        guard let name = arguments.first else {
            console.print(overview)
            return 0
        }
        do throws(UsageError) {
            console.print(try command(name).help)
            return 0
        } catch {
            return complain(error, help: nil)
        }
    }

    private func command(_ name: String) throws(UsageError) -> Command {
        if let command = commands.first(where: { $0.name == name }) { return command }
        throw UsageError(
            "there is no command \"\(name.printable)\"",
            suggestion: Suggestion.nearest(
                to: name,
                among: commands.map(\.name) + ["help", "version"]
            )
        )
    }

    private func complain(_ error: UsageError, help name: String?) -> Int32 {
        console.complain("weir: \(error.text)")
        console.complain("weir help\(name.map { " \($0)" } ?? "") says what there is")
        return Self.usageStatus
    }

    private var overview: String {
        let rows = commands.map { (($0.name + " " + $0.operands).trimmedAtEnd, $0.summary) }
        let own = [
            ("version", "prints the version"),
            ("help [COMMAND]", "says how a command is used"),
        ]
        return (["usage: weir COMMAND [options]", ""] + Command.table(rows + own))
            .joined(separator: "\n")
    }
}

extension String {
    fileprivate var trimmedAtEnd: String { hasSuffix(" ") ? String(dropLast()) : self }
}
