import YAMLText

/// Where a value was given.
package enum ConfigurationPlace: Hashable, Sendable, CustomStringConvertible {
    case file(String, YAMLPosition)
    /// A file as a whole: it cannot be read, or a key is absent from it.
    case wholeFile(String)
    /// `--set`, as given on the command line.
    case option(String)
    /// A variable of the environment.
    case environment(String)

    package var description: String {
        switch self {
        case .file(let path, let position): "\(path):\(position.line):\(position.column)"
        case .wholeFile(let path): path
        case .option(let text): "--set \(text)"
        case .environment(let name): "environment variable \(name)"
        }
    }
}

/// One value of the configuration, wherever it came from.
struct ConfigurationNode {
    enum Content {
        /// The text, and whether `${…}` in it means the environment.
        case scalar(String, expands: Bool)
        case list([ConfigurationNode])
        case map([Entry])
    }

    struct Entry {
        let key: String
        let keyPlace: ConfigurationPlace
        var value: ConfigurationNode
    }

    var content: Content
    var place: ConfigurationPlace

    init(_ content: Content, at place: ConfigurationPlace) {
        self.content = content
        self.place = place
    }

    /// Takes over a tree; `place` says where one of its positions is.
    init(_ node: YAMLNode, _ place: (YAMLPosition) -> ConfigurationPlace) {
        self.place = place(node.position)
        switch node.content {
        case .scalar(let text, let style):
            content = .scalar(text, expands: style != .singleQuoted)
        case .sequence(let items):
            content = .list(items.map { ConfigurationNode($0, place) })
        case .mapping(let entries):
            content = .map(
                entries.map {
                    Entry(
                        key: $0.key,
                        keyPlace: place($0.keyPosition),
                        value: ConfigurationNode($0.value, place)
                    )
                }
            )
        }
    }

    /// Whether nothing stands after the key.
    var isAbsent: Bool {
        if case .scalar("", expands: true) = content { true } else { false }
    }

    /// Puts `value` where `path` leads: keys and, in lists, numbers from 0.
    ///
    /// - Returns: false when the path leads through a scalar or beyond a list's end.
    mutating func set(_ path: ArraySlice<String>, to value: ConfigurationNode) -> Bool {
        guard let step = path.first else {
            self = value
            return true
        }
        if isAbsent { content = Int(step) == nil ? .map([]) : .list([]) }
        switch content {
        case .scalar: return false
        case .list(var items):
            guard let index = Int(step), (0...items.count).contains(index) else { return false }
            if index == items.count {
                items.append(ConfigurationNode(.map([]), at: value.place))
            }
            guard items[index].set(path.dropFirst(), to: value) else { return false }
            content = .list(items)
        case .map(var entries):
            if !entries.contains(where: { $0.key == step }) {
                let empty = ConfigurationNode(.scalar("", expands: true), at: value.place)
                entries.append(Entry(key: step, keyPlace: value.place, value: empty))
            }
            for index in entries.indices where entries[index].key == step {
                guard entries[index].value.set(path.dropFirst(), to: value) else { return false }
            }
            content = .map(entries)
        }
        return true
    }
}
