import Replay

/// A whole answer, as `curl` fetched it.
struct FetchedAnswer {
    let status: Int
    let body: String

    /// The data of the last event, or the body, as JSON.
    var lastData: JSONTree? {
        let data = body.split(separator: "\n").last { $0.hasPrefix("data: ") }
        return jsonTree(data.map { String($0.dropFirst(6)) } ?? body)
    }
}

extension RunningWeir {
    /// The arguments with which `curl` asks for an answer.
    func asking(
        _ model: String,
        path: String = "/v1/chat/completions",
        prompt: String = "Hello",
        streams: Bool = true,
        key: String? = nil
    ) -> [String] {
        let body = JSONTree.object([
            "model": .string(model), "stream": .boolean(streams),
            "messages": .array([
                .object(["role": .string("user"), "content": .string(prompt)])
            ]),
        ])
        let key = key ?? self.key
        return (key.isEmpty ? [] : ["-H", "Authorization: Bearer \(key)"]) + [
            "-sN", "--max-time", "120", "\(url)\(path)",
            "-H", "Content-Type: application/json",
            "-d", String(decoding: body.encoded ?? [], as: UTF8.self),
        ]
    }

    /// Asks for an answer and reads it to its end, however it ends.
    func fetch(_ arguments: [String]) async throws -> FetchedAnswer {
        let program = try RunningProgram("curl", arguments + ["-w", "\n%{http_code}"])
        try await program.end(within: .seconds(150))
        let text = program.output
        let line = text.split(separator: "\n").last ?? ""
        return FetchedAnswer(
            status: Int(line) ?? -1,
            body: String(text.dropLast(line.count + 1))
        )
    }
}
