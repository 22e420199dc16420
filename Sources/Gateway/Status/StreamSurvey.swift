import Reactor

/// Looks at everything in a long list, a little in each turn of a reactor, so that no stream waits
/// for the whole of it.
package enum StreamSurvey {
    /// How much is looked at in one turn: of streams, a few tenths of a millisecond's worth.
    package static let turnLimit = 32

    /// Begins with the first ones now; call on the reactor.
    ///
    /// - Parameters:
    ///   - elements: what is looked at, in order.
    ///   - executor: the reactor.
    ///   - sum: what is known already.
    ///   - add: adds what one element says.
    ///   - finish: gets the sum, on the reactor.
    package static func start<Element: Sendable, Sum: Sendable>(
        _ elements: ArraySlice<Element>,
        on executor: any StreamExecutor,
        from sum: Sum,
        add: @escaping @Sendable (inout Sum, Element) -> Void,
        finish: @escaping @Sendable (Sum) -> Void
    ) {
        var sum = sum
        for element in elements.prefix(turnLimit) { add(&sum, element) }
        let rest = elements.dropFirst(turnLimit)
        guard !rest.isEmpty else { return finish(sum) }
        executor.perform { [sum] in
            start(rest, on: executor, from: sum, add: add, finish: finish)
        }
    }
}

extension StreamRegistry {
    /// Looks at the streams that run now and that somebody may see; call on the registry's reactor.
    ///
    /// One that ends meanwhile is looked at all the same. `StreamSurvey.start` says the rest.
    nonisolated func survey<Sum: Sendable>(
        for viewer: Viewer,
        from sum: Sum,
        add: @escaping @Sendable (inout Sum, Generation) -> Void,
        finish: @escaping @Sendable (Sum) -> Void
    ) {
        let streams = generations.filter { $0.isRunning && viewer.maySee($0.order) }
        StreamSurvey.start(streams[...], on: executor, from: sum, add: add, finish: finish)
    }
}
