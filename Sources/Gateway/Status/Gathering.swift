import Reactor

/// Asks every reactor for its part and puts the parts together, without a task or a lock held
/// while waiting.
final class Gathering<Part: Sendable>: Sendable {
    private let state: Guarded<(parts: [Part], missing: Int)>
    private let home: any StreamExecutor
    private let finish: @Sendable ([Part]) -> Void

    /// - Parameters:
    ///   - registries: who is asked; each on its own reactor.
    ///   - home: where `finish` is called.
    ///   - ask: what is asked; it hands over its answer once, on its reactor.
    ///   - finish: gets all parts, in no particular order.
    static func start(
        _ registries: [StreamRegistry],
        home: any StreamExecutor,
        ask: @escaping @Sendable (StreamRegistry, @escaping @Sendable (Part) -> Void) -> Void,
        finish: @escaping @Sendable ([Part]) -> Void
    ) {
        let gathering = Gathering(registries.count, home, finish)
        for registry in registries {
            registry.executor.perform { ask(registry, gathering.take) }
        }
    }

    private init(
        _ count: Int,
        _ home: any StreamExecutor,
        _ finish: @escaping @Sendable ([Part]) -> Void
    ) {
        state = Guarded(([], count))
        self.home = home
        self.finish = finish
    }

    private func take(_ part: Part) {
        let whole: [Part]? = state.withLock { state in
            state.parts.append(part)
            state.missing -= 1
            return state.missing == 0 ? state.parts : nil
        }
        if let whole { home.perform { [finish] in finish(whole) } }
    }
}
