import Pricing

extension LedgerDatabase {
    /// Whether what kept this database from being used may pass, so that waiting is worth it; what
    /// the configuration or the database's contents are to blame for does not.
    package func mayPass(_ error: ChargeStoreError) -> Bool {
        switch error {
        case .busy, .diskFull: true
        // A standby becomes a primary; a file's permissions stay.
        case .readOnly: isServer
        case .damaged, .newerSchema, .closed, .refused, .failed: false
        case .unavailable(let reason): !(isServer ? reason.isServersRefusal : reason.isNoFile)
        }
    }

    private var isServer: Bool {
        if case .postgresql = self { true } else { false }
    }
}

extension String {
    /// Whether a server, or libpq, says that it will not be used like this.
    ///
    /// Of a connection that was not made libpq tells the message alone, and no code. One in another
    /// language is waited for.
    ///
    /// Source: PostgreSQL 15, `auth.c`, `postinit.c`, `miscinit.c`, `fe-connect.c`, `fe-auth.c`,
    /// `fe-secure-openssl.c`.
    fileprivate var isServersRefusal: Bool {
        let text = lowercased()
        return [
            "authentication failed", "no password supplied", "does not exist",
            "pg_hba.conf", "is not permitted to log in", "permission denied",
            "certificate verify failed", "server certificate for", "ssl was required",
            "invalid uri", "invalid connection option", "invalid port number", "invalid ssl",
        ].contains { text.contains($0) }
    }

    /// Whether SQLite says that there is no such file, or that it may not be opened.
    ///
    /// Source: sqlite.org, "Result and Error Codes": `SQLITE_PERM`, `SQLITE_CANTOPEN`, `SQLITE_AUTH`.
    fileprivate var isNoFile: Bool {
        let code = split(separator: " ").last?.filter(\.isNumber) ?? ""
        return [3, 14, 23].contains((Int32(code) ?? 0) & 0xFF)
    }
}
