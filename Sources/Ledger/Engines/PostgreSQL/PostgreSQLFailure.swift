import Pricing

/// What PostgreSQL answered instead of doing as told.
struct PostgreSQLFailure: Error, Equatable {
    /// Five characters; empty where the connection failed and the server said nothing.
    let state: String
    let message: String
}

extension LedgerFailure {
    /// Source: PostgreSQL's documentation, appendix A, "PostgreSQL Error Codes".
    init(_ failure: PostgreSQLFailure) {
        let text = failure.state.isEmpty ? failure.message : "\(failure.message) (\(failure.state))"
        switch failure.state {
        case "40001", "40P01": self.init(.busy, .again)
        case "55P03": self.init(.busy, .keep)
        case "23505": self.init(.busy, .carefully)
        case "53100": self.init(.diskFull, .reopen)
        case "25006": self.init(.readOnly, .reopen)
        case "XX001", "XX002": self.init(.damaged(text), .reopen)
        default:
            // Data and constraints: a record may be the cause. Anything else is the server's matter.
            let mayBeOfRecord = ["22", "23"].contains(failure.state.prefix(2))
            self.init(mayBeOfRecord ? .failed(text) : .unavailable(text), .reopen)
        }
    }
}
