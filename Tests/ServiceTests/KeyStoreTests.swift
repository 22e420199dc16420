import Cryptography
import Service
import Testing

struct KeyStoreTests {
    private func account(_ id: String, key: String, keyID: String) -> AccountConfiguration {
        var account = AccountConfiguration()
        account.id = id
        var configured = KeyConfiguration()
        configured.id = keyID
        configured.sha256 = SHA256Digest(of: key)
        account.keys = [configured]
        return account
    }

    @Test func `keys of the configuration and of the data directory both open it`() {
        let store = KeyStore(
            accounts: [account("acme", key: "weir_a", keyID: "k1")],
            stored: [
                StoredKey(
                    id: "k2",
                    account: "other",
                    createdAtMilliseconds: 0,
                    ending: "_b",
                    sha256: SHA256Digest(of: "weir_b").hexadecimal
                )
            ]
        )

        #expect(store.count == 2)
        #expect(store.caller(presenting: "weir_a")?.account == "acme")
        #expect(store.caller(presenting: "weir_a")?.keyID == "k1")
        #expect(store.caller(presenting: "weir_b")?.account == "other")
    }

    @Test(arguments: ["", "weir_A", "weir_a ", "weir_", String(repeating: "x", count: 1 << 20)])
    func `anything else opens nothing`(presented: String) {
        let store = KeyStore(accounts: [account("acme", key: "weir_a", keyID: "k1")], stored: [])

        #expect(store.caller(presenting: presented) == nil)
        #expect(KeyStore().caller(presenting: presented) == nil)
    }

    @Test func `the digest itself is no key`() {
        let store = KeyStore(accounts: [account("acme", key: "weir_a", keyID: "k1")], stored: [])

        #expect(store.caller(presenting: SHA256Digest(of: "weir_a").hexadecimal) == nil)
    }

    @Test func `a reload takes keys away and brings others`() {
        let keys = ReloadableKeys(
            KeyStore(accounts: [account("acme", key: "weir_a", keyID: "k1")], stored: [])
        )
        #expect(keys.caller(presenting: "weir_a")?.account == "acme")

        keys.replace(
            with: KeyStore(accounts: [account("b", key: "weir_b", keyID: "k")], stored: [])
        )

        #expect(keys.caller(presenting: "weir_a") == nil)
        #expect(keys.caller(presenting: "weir_b")?.account == "b")
    }

    @Test func `new keys are long, and differ`() throws {
        let keys = Set(try (0..<100).map { _ in try APIKey.random() })

        #expect(keys.count == 100)
        #expect(keys.allSatisfy { $0.hasPrefix("weir_") && $0.utf8.count == 45 })
    }
}
