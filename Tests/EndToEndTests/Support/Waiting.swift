/// What a test waited for in vain.
struct TookTooLong: Error, CustomStringConvertible {
    let description: String
}

/// Asks again and again until there is an answer.
///
/// - Parameters:
///   - what: what is waited for, for the message of a failure.
///   - limit: generous, since machines may be busy.
///   - probe: returns nil while the answer is not there.
/// - Returns: the first answer.
/// - Throws: `TookTooLong`, and what `probe` throws.
func eventually<Answer>(
    _ what: @autoclosure () -> String,
    within limit: Duration = .seconds(60),
    _ probe: () async throws -> Answer?
) async throws -> Answer {
    let deadline = ContinuousClock.now + limit
    while true {
        if let answer = try await probe() { return answer }
        guard ContinuousClock.now < deadline else {
            throw TookTooLong(description: "waited \(limit) in vain: \(what())")
        }
        try await Task.sleep(for: .milliseconds(30))
    }
}

extension Bool {
    /// For `eventually`: nil while it is false.
    var whenTrue: Void? { self ? () : nil }
}
