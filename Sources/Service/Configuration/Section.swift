/// A key that the configuration knows, and what it has when it is absent.
package struct KeyShape {
    /// Keys joined by points; `[]` stands for any item of a list.
    package let path: String
    /// Nil where there is no default: the key is required, or its absence means something.
    package let defaultText: String?
    /// Returns a value's text as defaults are written; nil if it is no value of this key.
    let canonical: (String) -> String?

    init(path: String, defaultText: String? = nil, canonical: @escaping (String) -> String?) {
        self.path = path
        self.defaultText = defaultText
        self.canonical = canonical
    }

    /// A key that holds a map or a list of maps.
    init(map path: String) { self.init(path: path) { _ in nil } }

    /// A key that holds a value of the form.
    init<Value>(path: String, defaultText: String? = nil, _ form: ValueForm<Value>) {
        self.init(path: path, defaultText: defaultText) { form.parse($0).map(form.text) }
    }
}

/// The keys of one map, and where their values go.
struct Section<Root> {
    let fields: [Field<Root>]

    init(_ fields: Field<Root>...) { self.fields = fields }

    /// Reads a map into `root`, in the order of the text; mistakes go to `reader`.
    func read(
        _ node: ConfigurationNode,
        _ path: String,
        into root: inout Root,
        _ reader: inout ConfigurationReader
    ) {
        reader.places[path] = node.place
        var entries: [ConfigurationNode.Entry] = []
        if !node.isAbsent {
            guard case .map(let found) = node.content else {
                return reader.refuse("expected a map of keys and values", at: node.place)
            }
            entries = found
        }
        for entry in entries {
            guard let field = fields.first(where: { $0.name == entry.key }) else {
                reader.refuse(
                    "unknown key \"\(entry.key)\"",
                    at: entry.keyPlace,
                    suggestion: Suggestion.nearest(to: entry.key, among: fields.map(\.name))
                )
                continue
            }
            field.read(entry.value, path.appending(key: entry.key), &root, &reader)
        }
        for field in fields where field.isRequired {
            if entries.contains(where: { $0.key == field.name }) { continue }
            reader.refuse("the key \"\(field.name)\" is missing", at: node.place)
        }
    }

    /// Returns every key of the map and below, in order.
    func shapes(_ prefix: String, defaults: Root?) -> [KeyShape] {
        fields.flatMap { $0.shapes(prefix.appending(key: $0.name), defaults) }
    }
}

/// One key of a map.
struct Field<Root> {
    let name: String
    var isRequired = false
    let read: (ConfigurationNode, String, inout Root, inout ConfigurationReader) -> Void
    let shapes: (String, Root?) -> [KeyShape]

    /// A value that has a default.
    static func value<Value>(
        _ name: String,
        _ target: WritableKeyPath<Root, Value>,
        _ form: ValueForm<Value>
    ) -> Field {
        Field(name: name) { node, path, root, reader in
            if let value = reader.value(node, path, form) { root[keyPath: target] = value }
        } shapes: { path, defaults in
            let text = defaults.map { form.text($0[keyPath: target]) }
            return [KeyShape(path: path, defaultText: text, form)]
        }
    }

    /// A value that must be given.
    static func required<Value>(
        _ name: String,
        _ target: WritableKeyPath<Root, Value>,
        _ form: ValueForm<Value>
    ) -> Field {
        Field(name: name, isRequired: true) { node, path, root, reader in
            if let value = reader.value(node, path, form) { root[keyPath: target] = value }
        } shapes: { path, _ in
            [KeyShape(path: path, form)]
        }
    }

    /// A value whose absence means something.
    static func optional<Value>(
        _ name: String,
        _ target: WritableKeyPath<Root, Value?>,
        _ form: ValueForm<Value>
    ) -> Field {
        Field(name: name) { node, path, root, reader in
            if let value = reader.value(node, path, form) { root[keyPath: target] = value }
        } shapes: { path, _ in
            [KeyShape(path: path, form)]
        }
    }

    /// A value whose form itself says whether there is one.
    static func absentOrValue<Value>(
        _ name: String,
        _ target: WritableKeyPath<Root, Value?>,
        _ form: ValueForm<Value?>
    ) -> Field {
        Field(name: name) { node, path, root, reader in
            if let value = reader.value(node, path, form) { root[keyPath: target] = value }
        } shapes: { path, _ in
            [KeyShape(path: path, form)]
        }
    }

    /// A list of values; one value alone is taken for a list of one.
    static func list<Value>(
        _ name: String,
        _ target: WritableKeyPath<Root, [Value]>,
        _ form: ValueForm<Value>,
        allowsEmpty: Bool = true
    ) -> Field {
        Field(name: name) { node, path, root, reader in
            let items = reader.items(node, path)
            if let items, items.isEmpty, !allowsEmpty {
                reader.refuse("the list must not be empty", at: node.place)
            } else if let items {
                root[keyPath: target] = items.enumerated().compactMap { index, item in
                    reader.value(item, path.appending(key: "\(index)"), form)
                }
            }
        } shapes: { path, defaults in
            let texts = defaults.map { $0[keyPath: target].map(form.text) }
            let isOne = texts?.count == 1 && !allowsEmpty
            let text = texts.map { isOne ? $0[0] : "[" + $0.joined(separator: ", ") + "]" }
            let shape = KeyShape(path: path, defaultText: text) { text in
                guard text.hasPrefix("[") else { return form.parse(text).map(form.text) }
                let items = text.dropFirst().dropLast().split(separator: ", ").map(String.init)
                let texts = items.compactMap { form.parse($0).map(form.text) }
                guard texts.count == items.count else { return nil }
                return isOne && texts.count == 1
                    ? texts[0] : "[" + texts.joined(separator: ", ") + "]"
            }
            return [shape]
        }
    }

    /// A map of further keys.
    static func section<Value>(
        _ name: String,
        _ target: WritableKeyPath<Root, Value>,
        _ section: Section<Value>
    ) -> Field {
        Field(name: name) { node, path, root, reader in
            section.read(node, path, into: &root[keyPath: target], &reader)
        } shapes: { path, defaults in
            [KeyShape(map: path)]
                + section.shapes(path, defaults: defaults.map { $0[keyPath: target] })
        }
    }

    /// A map of further keys that may be absent as a whole.
    static func optionalSection<Value>(
        _ name: String,
        _ target: WritableKeyPath<Root, Value?>,
        _ section: Section<Value>,
        _ new: @escaping () -> Value
    ) -> Field {
        Field(name: name) { node, path, root, reader in
            if node.isAbsent { return }
            var value = new()
            section.read(node, path, into: &value, &reader)
            root[keyPath: target] = value
        } shapes: { path, _ in
            [KeyShape(map: path)]
                + section.shapes(path, defaults: nil)
        }
    }

    /// A map, or a list of such maps.
    static func oneOrMore<Value>(
        _ name: String,
        _ target: WritableKeyPath<Root, [Value]>,
        _ section: Section<Value>,
        _ new: @escaping () -> Value
    ) -> Field {
        let many = sections(name, target, section, new)
        return Field(name: name) { node, path, root, reader in
            if node.isAbsent { return }
            if case .list = node.content { return many.read(node, path, &root, &reader) }
            var value = new()
            section.read(node, path, into: &value, &reader)
            root[keyPath: target] = [value]
        } shapes: { path, _ in
            [KeyShape(map: path)] + section.shapes(path, defaults: nil)
        }
    }

    /// A list of maps.
    static func sections<Value>(
        _ name: String,
        _ target: WritableKeyPath<Root, [Value]>,
        _ section: Section<Value>,
        isRequired: Bool = false,
        _ new: @escaping () -> Value
    ) -> Field {
        Field(name: name, isRequired: isRequired) { node, path, root, reader in
            if node.isAbsent && !isRequired { return }
            guard case .list(let items) = node.content else {
                return reader.refuse("expected a list of maps", at: node.place)
            }
            guard !items.isEmpty || !isRequired else {
                return reader.refuse("the list must not be empty", at: node.place)
            }
            reader.places[path] = node.place
            root[keyPath: target] = items.enumerated().map { index, item in
                var value = new()
                section.read(item, path.appending(key: "\(index)"), into: &value, &reader)
                return value
            }
        } shapes: { path, _ in
            [KeyShape(map: path)]
                + section.shapes("\(path)[]", defaults: new())
        }
    }
}

extension String {
    /// The path of a key below this one.
    fileprivate func appending(key: String) -> String { isEmpty ? key : "\(self).\(key)" }
}
