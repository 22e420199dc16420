import HTTPWire
import Reactor

/// The last stage of a stream's way to a client: the content coding of its body.
extension Generation {
    /// Chooses the coding of a response whose head is about to go out.
    func openCoding(of client: AttachedClient, _ fields: inout HeaderFields) {
        let question = CodingChooser.Question(
            accepted: client.coding.accepted,
            configured: settings.codings,
            kind: order.bodyKind,
            expectedByteCount: outcome.map { _ in log.end.offset - client.cursor.offset }
        )
        let (choice, body) = registry.codings.withLock {
            $0.open(question, budgetLimit: settings.codingBudget, &fields)
        }
        client.coding = body.map { .coded($0) } ?? .identity
        note(choice)
    }

    /// Puts the coded form in the place of what `buffer` holds from `start` on.
    ///
    /// - Returns: false when memory lacks: the body cannot be continued.
    func code(
        _ buffer: inout [UInt8],
        from start: Int,
        eventCount: Int,
        isLast: Bool,
        for client: AttachedClient
    ) -> Bool {
        guard case .coded(let body) = client.coding else { return true }
        return registry.codings.withLock {
            $0.code(body, eventCount: eventCount, isLast: isLast, from: start, of: &buffer)
        }
    }

    /// Releases what the client's coding holds.
    func closeCoding(of client: AttachedClient) {
        guard case .coded(let body) = client.coding else { return }
        registry.codings.withLock { $0.close(body) }
        client.coding = .identity
    }

    func note(_ choice: CodingChoice) {
        codings.insert(CodingSet(choice.coding))
        lastCoding = choice
        registry.count(choice, account: order.caller.account)
    }
}

extension StreamOrder {
    /// What the bodies of the stream's clients are made of.
    fileprivate var bodyKind: BodyKind {
        if sealing != nil { return .sealedEvents }
        return isResumable ? .weirEvents : .openAIChunks
    }
}
