import StreamBytes

/// Commands that are sent together, and the replies that came so far.
struct CommandBatch {
    typealias Outcome = Result<[RedisValue], RedisError>

    let bytes: [UInt8]
    let count: Int
    let deadline: MonotonicTime
    private(set) var replies: [RedisValue] = []
    private let completion: (Outcome) -> Void

    init(
        _ commands: [RedisCommand],
        deadline: MonotonicTime,
        completion: @escaping (Outcome) -> Void
    ) {
        bytes = commands.flatMap(\.encoded)
        count = commands.count
        self.deadline = deadline
        self.completion = completion
    }

    /// Takes the next reply.
    ///
    /// - Returns: whether that was the last one.
    mutating func take(_ reply: RedisValue) -> Bool {
        replies.append(reply)
        return replies.count == count
    }

    /// Tells the sender; all replies are there.
    func succeed() { completion(.success(replies)) }

    func fail(_ error: RedisError) { completion(.failure(error)) }
}
