/// Reads values out of nodes and collects what is wrong with them.
struct ConfigurationReader {
    let environment: [String: String]
    private(set) var mistakes: [ConfigurationMistake] = []
    /// Where each key that was read stands, by its path.
    var places: [String: ConfigurationPlace] = [:]

    init(environment: [String: String]) { self.environment = environment }

    mutating func refuse(
        _ message: String,
        at place: ConfigurationPlace,
        suggestion: String? = nil
    ) {
        mistakes.append(ConfigurationMistake(message, at: place, suggestion: suggestion))
    }

    /// Returns the value of a node; nil if there is none, with the mistake noted.
    mutating func value<Value>(
        _ node: ConfigurationNode,
        _ path: String,
        _ form: ValueForm<Value>
    ) -> Value? {
        places[path] = node.place
        guard case .scalar(let written, let expands) = node.content else {
            refuse("expected \(form.expectation), not a list or a map", at: node.place)
            return nil
        }
        guard !node.isAbsent else {
            refuse("expected \(form.expectation), and there is nothing", at: node.place)
            return nil
        }
        guard let text = expands ? expand(written, at: node.place) : written else { return nil }
        if let value = form.parse(text) { return value }
        // The text as written: a variable's value may be a secret.
        let shown = form.isShown ? ", not \"\(written.printable)\"" : ""
        refuse(
            "expected \(form.expectation)\(shown)",
            at: node.place,
            suggestion: Suggestion.nearest(to: text, among: form.words)
        )
        return nil
    }

    /// Returns the items of a list, or a lone value as a list of one.
    mutating func items(_ node: ConfigurationNode, _ path: String) -> [ConfigurationNode]? {
        places[path] = node.place
        switch node.content {
        case .list(let items): return items
        case .scalar where !node.isAbsent: return [node]
        case .scalar, .map:
            refuse("expected a list", at: node.place)
            return nil
        }
    }

    private mutating func expand(_ text: String, at place: ConfigurationPlace) -> String? {
        do {
            return try EnvironmentText.expand(text, environment: environment)
        } catch {
            switch error {
            case .notSet(let name):
                refuse(
                    "the environment variable \(name) is not set (${\(name):-} allows that)",
                    at: place
                )
            case .malformed: refuse("expected ${NAME} or ${NAME:-default}", at: place)
            }
            return nil
        }
    }
}

extension String {
    /// The text, shortened and without control characters, for a message.
    var printable: String {
        let scalars = unicodeScalars.prefix(80).map { scalar in
            (0x20..<0x7F).contains(scalar.value) || scalar.value > 0x9F ? scalar : "?"
        }
        var result = String.UnicodeScalarView()
        result.append(contentsOf: scalars)
        return String(result) + (unicodeScalars.count > 80 ? "…" : "")
    }
}
