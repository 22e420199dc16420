import StreamBytes

/// Something that somebody wants to be told: that a value reached a limit.
package struct Alert: Equatable, Sendable {
    /// What the alert is about; at most one of each is open.
    package struct Key: Hashable, Sendable {
        /// A signal, or `quota.tokens` and the like.
        package let rule: String
        /// Empty for the whole process.
        package let account: String
        /// The limit that was reached, in the rule's unit.
        package let limit: String
        /// What of several things it is about, without a space at either end; empty where there is
        /// but one.
        package let subject: String

        package init(rule: String, account: String, limit: String, subject: String = "") {
            self.rule = rule
            self.account = account
            self.limit = limit
            self.subject = subject
        }
    }

    package let key: Key
    package let severity: AlertSeverity
    package let message: String
    package let raisedAt: WallTime
    /// Nil while it is open.
    package var clearedAt: WallTime?

    package init(
        key: Key,
        severity: AlertSeverity,
        message: String,
        raisedAt: WallTime,
        clearedAt: WallTime? = nil
    ) {
        self.key = key
        self.severity = severity
        self.message = message
        self.raisedAt = raisedAt
        self.clearedAt = clearedAt
    }
}
