/// Who a request is made for.
package struct Caller: Hashable, Sendable {
    package let account: String
    /// The id of the key that was presented; empty where access is open.
    package let keyID: String

    package init(account: String, keyID: String) {
        self.account = account
        self.keyID = keyID
    }
}

/// Knows the callers by their keys.
package protocol CallerDirectory: Sendable {
    /// Returns whose key that is; nil for an unknown or revoked one. Takes the same time for both.
    func caller(presenting key: String) -> Caller?
}
