import Cryptography
import StreamBytes
import Telemetry

/// `weir keys create|list|revoke`.
struct KeysCommand {
    let console: Console

    func run(_ options: CommandOptions) -> Int32 {
        do {
            let configuration = try options.configurationLoader.load().configuration
            switch (options.operands[0], options.operands.count) {
            case ("create", 1): try create(options, configuration)
            case ("list", 1): try list(options, configuration)
            case ("revoke", 2): try revoke(options.operands[1], configuration)
            default: return complainOfUsage(options.operands[0])
            }
            return 0
        } catch {
            console.complain("weir: \(error)")
            return 1
        }
    }

    private func create(_ options: CommandOptions, _ configuration: WeirConfiguration) throws {
        let account = try account(options.account, configuration)
        let directory = configuration.data.directory
        try DataDirectory.makeFolder(directory)
        let key = try APIKey.random()
        var id = ""
        try KeyFile(directory: directory).update { keys in
            let taken = Set(keys.map(\.id) + configuration.accounts.flatMap { $0.keys.map(\.id) })
            repeat { id = "k-\(try SecureRandom.base62(length: 8))" } while taken.contains(id)
            keys.append(
                StoredKey(
                    id: id,
                    account: account,
                    createdAtMilliseconds: WallTime.now.milliseconds,
                    ending: String(key.suffix(4)),
                    sha256: SHA256Digest(of: key).hexadecimal
                )
            )
        }
        console.print(key)
        console.complain("The key \(id) of the account \(account); it is shown this once.")
        remindOfReload(directory)
    }

    private func list(_ options: CommandOptions, _ configuration: WeirConfiguration) throws {
        var rows = [("ID", "ACCOUNT", "CREATED", "ENDS IN")]
        for account in configuration.accounts {
            rows += account.keys.map { ($0.id, account.id, "configuration", "") }
        }
        rows += try KeyFile(directory: configuration.data.directory).read().map { key in
            let created = CalendarTime(milliseconds: key.createdAtMilliseconds).text
            return (key.id, key.account, created, "…\(key.ending)")
        }
        if let account = options.account {
            rows = [rows[0]] + rows.dropFirst().filter { $0.1 == account }
        }
        let widths = (rows.map(\.0.count).max() ?? 0, rows.map(\.1.count).max() ?? 0)
        for row in rows {
            let line = [
                row.0.padded(widths.0), row.1.padded(widths.1), row.2.padded(24), row.3,
            ].joined(separator: "  ")
            console.print(line)
        }
    }

    private func revoke(_ id: String, _ configuration: WeirConfiguration) throws {
        if configuration.accounts.contains(where: { $0.keys.contains { $0.id == id } }) {
            throw KeysError("the key \(id) stands in the configuration: take it out there")
        }
        let directory = configuration.data.directory
        let file = KeyFile(directory: directory)
        guard try file.read().contains(where: { $0.id == id }) else {
            let nearest = Suggestion.nearest(to: id, among: try file.read().map(\.id))
            throw KeysError(
                "there is no key \(id.printable)"
                    + (nearest.map { "; did you mean \"\($0)\"?" } ?? "")
            )
        }
        try file.update { keys in keys.removeAll { $0.id == id } }
        console.print("revoked \(id)")
        remindOfReload(directory)
    }

    /// Returns the account that a new key is for.
    private func account(_ wanted: String?, _ configuration: WeirConfiguration) throws -> String {
        let ids = configuration.accounts.map(\.id)
        guard let wanted else {
            if ids.isEmpty { return "local" }
            if ids.count == 1 { return ids[0] }
            throw KeysError("--account is needed; there are \(ids.joined(separator: ", "))")
        }
        if ids.contains(wanted) || (ids.isEmpty && wanted == "local") { return wanted }
        let nearest = Suggestion.nearest(to: wanted, among: ids)
        throw KeysError(
            "there is no account \(wanted.printable)"
                + (nearest.map { "; did you mean \"\($0)\"?" } ?? "")
        )
    }

    private func remindOfReload(_ directory: String) {
        guard let holder = DataDirectory.holder(of: directory), holder > 0 else { return }
        console.complain("The gateway that runs learns of it by: kill -HUP \(holder)")
    }

    private func complainOfUsage(_ verb: String) -> Int32 {
        let nearest = Suggestion.nearest(to: verb, among: ["create", "list", "revoke"])
        let error = UsageError(
            ["create", "list", "revoke"].contains(verb)
                ? "weir keys \(verb): \(verb == "revoke" ? "which key?" : "takes no more words")"
                : "weir keys has no \(verb.printable)",
            suggestion: nearest == verb ? nil : nearest
        )
        console.complain("weir: \(error.text)")
        return WeirCommand.usageStatus
    }
}

/// Why `weir keys` cannot do what it was asked.
private struct KeysError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

extension String {
    fileprivate func padded(_ width: Int) -> String {
        self + String(repeating: " ", count: max(0, width - count))
    }
}
