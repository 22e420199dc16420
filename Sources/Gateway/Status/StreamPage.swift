/// The first streams behind some place, in the order of the texts of their ids.
package struct StreamPage<Stream> {
    private let start: String
    private let limit: Int
    private var found: [(id: String, stream: Stream)] = []

    /// A page without streams.
    ///
    /// - Parameters:
    ///   - start: ids behind this one are wanted.
    ///   - limit: the most streams that are shown, at least 1.
    package init(after start: String, limit: Int) {
        precondition(limit > 0, "a page shows something")
        self.start = start
        self.limit = limit
    }

    package var streams: [Stream] { found.prefix(limit).map(\.stream) }

    /// The id of the last stream that is shown, where more follow; nil: none do.
    package var next: String? { found.count > limit ? found[limit - 1].id : nil }

    /// Adds a stream if it belongs to the page.
    ///
    /// - Parameters:
    ///   - id: the text of its id.
    ///   - stream: what is shown of it; asked for only if it is.
    package mutating func add(_ id: String, _ stream: @autoclosure () -> Stream) {
        // One more than are shown, to know whether there are any.
        guard id > start, found.count <= limit || id < found[limit].id else { return }
        let place = found.firstIndex { id < $0.id } ?? found.endIndex
        found.insert((id, stream()), at: place)
        if found.count > limit + 1 { found.removeLast() }
    }

    package mutating func add(_ other: Self) {
        for (id, stream) in other.found { add(id, stream) }
    }
}

extension StreamPage: Sendable where Stream: Sendable {}
