import Foundation
import Reactor
import Service
import TestSupport
import Testing

/// The command line, run in this process.
struct WeirCommandTests {
    /// What a run printed and returned.
    private struct Outcome {
        let status: Int32
        let output: String
        let errors: String
    }

    private let scratch: ScratchFolder

    init() throws { scratch = try ScratchFolder() }

    private func weir(_ arguments: String...) -> Outcome {
        let output = Guarded("")
        let errors = Guarded("")
        let console = Console(
            output: { text in output.withLock { $0 += text } },
            errors: { text in errors.withLock { $0 += text } }
        )
        let status = WeirCommand(console: console).run(arguments)
        return Outcome(
            status: status,
            output: output.withLock { $0 },
            errors: errors.withLock { $0 }
        )
    }

    // MARK: - Usage

    @Test func `help names every command, and each has help of its own`() {
        let overview = weir("help")

        #expect(overview.status == 0)
        for command in ["up", "serve", "bill", "check", "keys", "rate", "version", "help"] {
            #expect(overview.output.contains("\n  \(command) "), "\(command)")
        }
        for command in ["up", "serve", "bill", "check", "keys", "rate"] {
            let help = weir("help", command)
            #expect(help.status == 0)
            #expect(help.output.hasPrefix("usage: weir \(command)"))
            #expect(help.output.contains("--config FILE"))
            #expect(weir(command, "--help").output == help.output)
        }
    }

    @Test func `version prints the version`() {
        #expect(weir("version").output == "weir \(WeirCommand.version)\n")
    }

    @Test(arguments: [
        (["chekc"], "there is no command \"chekc\"; did you mean \"check\"?"),
        (["help", "kees"], "there is no command \"kees\"; did you mean \"keys\"?"),
        (["up", "--confg", "x"], "weir up has no option --confg; did you mean \"--config\"?"),
        (["up", "--takeover"], "weir up has no option --takeover"),
        (["serve", "--takeover=1"], "--takeover takes no value"),
        (["up", "--config"], "--config needs a value: --config FILE"),
        (["up", "--set="], "--set needs a value: --set PATH=VALUE"),
        (["up", "now"], "weir up does not know what to do with now"),
        (["up", "--", "--set"], "weir up does not know what to do with --set"),
        (["rate"], "weir rate needs CASES"),
        (["keys", "creat"], "weir keys has no creat; did you mean \"create\"?"),
        (["keys", "revoke"], "weir keys revoke: which key?"),
    ])
    func `wrong usage is status 2 and says what was meant`(arguments: [String], message: String) {
        let errors = Guarded("")
        let console = Console(
            output: { _ in Issue.record("output") },
            errors: { text in errors.withLock { $0 += text } }
        )

        let status = WeirCommand(console: console).run(arguments)

        #expect(status == 2)
        #expect(errors.withLock { $0 }.hasPrefix("weir: \(message)\n"))
    }

    @Test func `without a command it says what there is`() {
        let outcome = weir()

        #expect(outcome.status == 2)
        #expect(outcome.errors.hasPrefix("usage: weir COMMAND"))
    }

    // MARK: - Keys

    @Test func `a key is shown once, kept as a hash, and opens the gateway until it is revoked`()
        throws
    {
        let created = weir("keys", "create", "--data", scratch.path)
        let key = created.output.trimmingCharacters(in: .newlines)
        #expect(created.status == 0, "\(created.errors)")
        #expect(key.hasPrefix("weir_") && key.count == 45)

        let file = KeyFile(directory: scratch.path)
        let stored = try #require(try file.read().first)
        let text = try String(contentsOfFile: scratch.path("keys.json"), encoding: .utf8)
        #expect(!text.contains(key))
        #expect(key.hasSuffix(stored.ending))
        let attributes = try FileManager.default.attributesOfItem(atPath: scratch.path("keys.json"))
        #expect(attributes[.posixPermissions] as? Int == 0o600)
        let store = KeyStore(accounts: [], stored: try file.read())
        #expect(store.caller(presenting: key)?.account == "local")
        #expect(store.caller(presenting: key)?.keyID == stored.id)

        let listed = weir("keys", "list", "--data", scratch.path)
        #expect(listed.output.contains(stored.id) && listed.output.contains("local"))
        #expect(!listed.output.contains(key) && !listed.output.contains(stored.sha256))

        #expect(weir("keys", "revoke", stored.id, "--data", scratch.path).status == 0)
        #expect(try file.read().isEmpty)
        #expect(weir("keys", "revoke", stored.id, "--data", scratch.path).status == 1)
    }

    @Test func `a key belongs to an account that exists`() throws {
        let config = try scratch.write(
            "w.yaml",
            """
            data: { directory: \(scratch.path) }
            accounts:
              - { id: acme, keys: [{ id: k1, sha256: \(String(repeating: "0", count: 64)) }] }
              - { id: other }
            """
        )

        let unknown = weir("keys", "create", "--account", "acne", "--config", config)
        #expect(unknown.status == 1)
        #expect(unknown.errors == "weir: there is no account acne; did you mean \"acme\"?\n")
        #expect(weir("keys", "create", "--config", config).errors.contains("--account is needed"))
        #expect(weir("keys", "create", "--account", "acme", "--config", config).status == 0)
        let listed = weir("keys", "list", "--account", "acme", "--config", config).output
        #expect(listed.contains("k1") && listed.contains("configuration"))
        #expect(
            weir("keys", "list", "--account", "other", "--config", config).output.split(
                separator: "\n"
            ).count == 1
        )
        #expect(weir("keys", "revoke", "k1", "--config", config).errors.contains("configuration"))
    }

    @Test func `keys made at the same time are all kept`() async throws {
        let path = scratch.path
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask {
                    let console = Console(output: { _ in }, errors: { _ in })
                    for _ in 0..<5 {
                        _ = WeirCommand(console: console).run(["keys", "create", "--data", path])
                    }
                }
            }
        }

        let keys = try KeyFile(directory: path).read()

        #expect(keys.count == 40)
        #expect(Set(keys.map(\.id)).count == 40)
        #expect(Set(keys.map(\.sha256)).count == 40)
    }

    @Test func `a damaged file of keys is refused, not overwritten`() throws {
        _ = try scratch.write("keys.json", "{\"version\":1,\"keys\":[{}]}")

        let outcome = weir("keys", "create", "--data", scratch.path)

        #expect(outcome.status == 1)
        #expect(outcome.errors.contains("is damaged"))
        #expect(outcome.output.isEmpty)
    }

    // MARK: - Check and rate

    @Test func `check reports every mistake and every thing that works or not`() throws {
        let bad = try scratch.write("bad.yaml", "lisen: x\nstream: { heartbeat: 1 }\n")
        let refused = weir("check", "--config", bad)
        #expect(refused.status == 1)
        #expect(
            refused.errors.contains("\(bad):1:1: unknown key \"lisen\"; did you mean \"listen\"?")
        )
        #expect(refused.errors.contains("\(bad):2:22: "))

        let listener = try TestListener()
        let good = try scratch.write(
            "good.yaml",
            """
            listen: 127.0.0.1:0
            admin: 127.0.0.1:0
            prices: \(repositoryRoot())/Config/prices.json
            data: { directory: \(scratch.path("data")) }
            providers: [{ name: p, dialect: openai, baseURL: "http://127.0.0.1:\(listener.port)" }]
            models: [{ name: m, price: free, route: [{ provider: p, model: m }] }]
            """
        )
        let fine = weir("check", "--config", good)
        #expect(fine.status == 0, "\(fine.output)\(fine.errors)")
        #expect(fine.output.contains("ok    provider p: connects to 127.0.0.1"))
        listener.close()
        let broken = weir("check", "--config", good)
        #expect(broken.status == 1)
        #expect(broken.output.contains("FAIL  provider p: 127.0.0.1, port \(listener.port): "))
    }

    @Test func `rate rates a file of cases`() throws {
        let cases = try scratch.write("cases.jsonl", "{\"id\":\"x\",\"kind\":\"else\"}\n")
        let prices = "prices=\(repositoryRoot())/Config/prices.json"

        #expect(weir("rate", cases, "--set", prices).errors.contains("skipped 1 cases"))
        #expect(weir("rate", cases, "--set", prices).status == 1)
        #expect(weir("rate", cases, "--set", "prices=/none").errors.contains("does not exist"))
    }
}

/// A listener on a free port of loopback that accepts nothing.
private struct TestListener {
    let port: UInt16
    private let descriptor: Int32

    init() throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let descriptor = descriptor
        let isBound = unsafe withUnsafeMutablePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                unsafe bind(descriptor, pointer, size) == 0 && listen(descriptor, 8) == 0
                    && getsockname(descriptor, pointer, &size) == 0
            }
        }
        try #require(isBound)
        port = UInt16(bigEndian: address.sin_port)
    }

    func close() { Glibc.close(descriptor) }
}
