import Ledger
import Reactor

extension WeirProcess {
    /// Says where everything is, and ends with a line that can be tried at once.
    func announce() {
        guard let addresses else { return console.print("weir \(role.name): running") }
        let scheme = certificates?.security == nil ? "http" : "https"
        for address in addresses.listen { console.print("listening on \(scheme)://\(address)") }
        console.print("admin and metrics on http://\(addresses.admin)")
        if role == .up {
            if redis != nil {
                console.print("meter records: redis-cli -s \(redisSocket) XRANGE weir:meter:0 - +")
            }
            if case .sqlite(let ledger) = configuration.ledgerDatabase {
                console.print("charges: sqlite3 \(ledger.path) 'SELECT * FROM charge_list'")
            }
        }
        if let runKey { console.print(runKey.explanation) }
        guard let address = addresses.listen.first else { return }
        let model = gateway?.core.settings.models.models.first?.name ?? "MODEL"
        let key = runKey?.key ?? (configuration.access.open ? nil : "YOUR_KEY")
        console.print(
            "in a browser: \(scheme)://\(address)/" + (runKey.map { "#key=\($0.key)" } ?? "")
        )
        console.print("try it:")
        console.print(
            "curl -N"
                + (secures(configuration).ownCertificateFile.map { " --cacert \($0)" } ?? "")
                + " \(scheme)://\(address)/v1/chat/completions"
                + (key.map { " -H 'Authorization: Bearer \($0)'" } ?? "")
                + " -H 'Content-Type: application/json'"
                + " -d '{\"model\":\"\(model)\",\"stream\":true,"
                + "\"messages\":[{\"role\":\"user\",\"content\":\"Hello\"}]}'"
        )
    }

    private var redisSocket: String { redis?.socketPath ?? "" }
}
