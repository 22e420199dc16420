/// Who a server is, as it said when the connection was opened.
package struct RedisIdentity: Equatable, Sendable {
    /// Drawn anew at each start of the server: with another one, what was written may be lost, and
    /// with it the groups.
    package let runID: String
    package let version: String

    package init(runID: String, version: String) {
        self.runID = runID
        self.version = version
    }

    /// Reads the answer to `INFO server`; nil where it does not name a run.
    init?(info: String) {
        var values: [Substring: Substring] = [:]
        for line in info.split(whereSeparator: \.isNewline) {
            guard let colon = line.firstIndex(of: ":") else { continue }
            values[line[..<colon]] = line[line.index(after: colon)...]
        }
        guard let runID = values["run_id"], !runID.isEmpty else { return nil }
        self.runID = String(runID)
        version = String(values["redis_version"] ?? "")
    }
}

/// What is said first on a connection, and what the answers mean.
struct RedisLogin {
    let commands: [RedisCommand]

    init(_ url: RedisURL) {
        var commands: [RedisCommand] = []
        if let password = url.password {
            commands.append(RedisCommand(["AUTH"] + (url.user.map { [$0] } ?? []) + [password]))
        }
        if url.database != 0 { commands.append(RedisCommand("SELECT", String(url.database))) }
        commands.append(RedisCommand("INFO", "server"))
        self.commands = commands
    }

    /// Judges the replies.
    ///
    /// A server that may not, or cannot, say who it is is used all the same.
    ///
    /// - Parameter replies: one for each command.
    /// - Returns: who answered; nil when it does not say.
    /// - Throws: the first refusal.
    func identity(_ replies: [RedisValue]) throws(RedisRefusal) -> RedisIdentity? {
        for reply in replies.dropLast() {
            if case .error(let message) = reply { throw RedisRefusal(message) }
        }
        guard case .error(let message) = replies.last else {
            return RedisIdentity(info: replies.last?.text ?? "")
        }
        let refusal = RedisRefusal(message)
        guard refusal.kind == .noperm || refusal.kind == .unknown else { throw refusal }
        return nil
    }
}
