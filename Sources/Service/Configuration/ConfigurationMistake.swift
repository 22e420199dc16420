/// Something in the configuration that cannot be used.
package struct ConfigurationMistake: Error, Equatable, Sendable, CustomStringConvertible {
    package let place: ConfigurationPlace
    package let message: String
    /// What was probably meant.
    package let suggestion: String?

    package init(_ message: String, at place: ConfigurationPlace, suggestion: String? = nil) {
        self.place = place
        self.message = message
        self.suggestion = suggestion
    }

    /// One line: `file:line:column: message; did you mean "…"?`.
    package var description: String {
        "\(place): \(message)" + (suggestion.map { "; did you mean \"\($0)\"?" } ?? "")
    }
}

/// Everything that is wrong with a configuration, in the order in which it stands there.
package struct ConfigurationRefused: Error, Equatable, Sendable, CustomStringConvertible {
    package let mistakes: [ConfigurationMistake]

    package init(_ mistakes: [ConfigurationMistake]) { self.mistakes = mistakes }

    package var description: String {
        mistakes.map(\.description).joined(separator: "\n")
    }
}
