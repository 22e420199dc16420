import YAMLText

/// The keys that the configuration knows.
package enum ConfigurationKeys {
    /// Every key, in the order of the sections; maps stand before the keys in them.
    package static var all: [KeyShape] {
        WeirConfiguration.section.shapes("", defaults: WeirConfiguration())
    }

    /// Returns the value `text`, written for the key `path`, as defaults are written.
    ///
    /// - Returns: nil when there is no such key or the text is nothing for it.
    package static func canonical(_ text: String, of path: String) -> String? {
        guard let key = all.first(where: { $0.path == path }) else { return nil }
        return key.canonical(text)
    }
}
