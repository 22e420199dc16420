/// What one process of Weir does.
enum WeirRole: Equatable, Sendable {
    /// Gateway and billing, with a private Redis where none is configured.
    case up
    /// The gateway alone.
    case serve(sharesPort: Bool)
    /// The billing consumer alone.
    case bill

    var servesStreams: Bool { self != .bill }

    var bills: Bool {
        if case .serve = self { return false }
        return true
    }

    var name: String {
        switch self {
        case .up: "up"
        case .serve: "serve"
        case .bill: "bill"
        }
    }
}
