import Cryptography
import StreamBytes
import YAMLText

/// A configuration that can be used.
package struct LoadedConfiguration: Equatable, Sendable {
    package let configuration: WeirConfiguration
    /// The file that was read; nil: there was none, and the defaults hold.
    package let path: String?
    /// Of the file; nil: there was none.
    package let digest: SHA256Digest?
    /// What can be used but was probably not meant.
    package let warnings: [ConfigurationMistake]
}

/// Reads the configuration: the defaults, then the file, then `--set`, then the environment for
/// what is still absent.
package struct ConfigurationLoader: Sendable {
    package static let defaultPath = "Config/weir.yaml"

    /// `--config`; nil: the default path, which may be missing.
    package var path: String?
    /// `--set`, each as `path=value`.
    package var overrides: [String] = []
    package var environment: [String: String] = [:]
    /// Models must be priced from here on.
    package var now: WallTime
    /// Returns the bytes of a file.
    package var readFile: @Sendable (String) throws(FileError) -> [UInt8]

    package init(
        path: String?,
        overrides: [String] = [],
        environment: [String: String] = [:],
        now: WallTime? = nil,
        readFile: @escaping @Sendable (String) throws(FileError) -> [UInt8] = {
            path throws(FileError) in
            try Files.read(path, limit: YAMLDocument.byteLimit + 1)
        }
    ) {
        self.path = path
        self.overrides = overrides
        self.environment = environment
        self.now = now ?? .now
        self.readFile = readFile
    }

    /// - Throws: `ConfigurationRefused` with every mistake there is.
    package func load() throws(ConfigurationRefused) -> LoadedConfiguration {
        let (file, digest, root) = try readTree()
        var tree = root
        var reader = ConfigurationReader(environment: environment)
        for override in overrides { apply(override, to: &tree, &reader) }
        var configuration = WeirConfiguration()
        WeirConfiguration.section.read(tree, "", into: &configuration, &reader)
        readEnvironment(into: &configuration, &reader)
        readSecrets(into: &configuration, &reader)
        var relations = ConfigurationRelations(reader: reader, whole: tree.place)
        relations.check(configuration, priceKeys: priceKeys(configuration))
        guard relations.mistakes.isEmpty else {
            throw ConfigurationRefused(relations.mistakes.inOrderOfTheText)
        }
        return LoadedConfiguration(
            configuration: configuration,
            path: file,
            digest: digest,
            warnings: relations.warnings
        )
    }

    private func readTree() throws(ConfigurationRefused) -> (
        path: String?, digest: SHA256Digest?, root: ConfigurationNode
    ) {
        let file = path ?? Self.defaultPath
        let nothing = ConfigurationNode(.map([]), at: .wholeFile(file))
        do {
            let bytes = try readFile(file)
            let digest = SHA256Digest(of: bytes)
            guard let root = try YAMLDocument.parse(bytes) else { return (file, digest, nothing) }
            return (file, digest, ConfigurationNode(root) { .file(file, $0) })
        } catch let error as FileError {
            if path == nil, error == .missing { return (nil, nil, nothing) }
            throw ConfigurationRefused([
                ConfigurationMistake("the file \(error)", at: .wholeFile(file))
            ])
        } catch let error as YAMLError {
            throw ConfigurationRefused([
                ConfigurationMistake("\(error)", at: .file(file, error.position))
            ])
        } catch {
            preconditionFailure("reading and parsing fail in these two ways alone")
        }
    }

    private func apply(
        _ override: String,
        to tree: inout ConfigurationNode,
        _ reader: inout ConfigurationReader
    ) {
        guard let equals = override.firstIndex(of: "=") else {
            return reader.refuse("expected path=value", at: .option(override.printable))
        }
        let path = String(override[..<equals])
        let place = ConfigurationPlace.option(path.printable)
        let text = String(override[override.index(after: equals)...])
        // A list or a map may be given in YAML's short form; anything else is taken as it stands.
        let isStructure = text.hasPrefix("[") || text.hasPrefix("{")
        var value = ConfigurationNode(.scalar(text, expands: true), at: place)
        if isStructure {
            guard let parsed = try? YAMLDocument.parse(text) else {
                return reader.refuse("expected a list or a map in YAML", at: place)
            }
            value = ConfigurationNode(parsed) { _ in place }
        }
        let steps = path.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard !steps.contains(""), tree.set(steps[...], to: value) else {
            return reader.refuse("this path leads nowhere", at: place)
        }
    }

    private func readEnvironment(
        into configuration: inout WeirConfiguration,
        _ reader: inout ConfigurationReader
    ) {
        func read<Value>(_ name: String, _ path: String, _ form: ValueForm<Value>) -> Value? {
            guard reader.places[path] == nil, let text = environment[name], !text.isEmpty else {
                return nil
            }
            let node = ConfigurationNode(.scalar(text, expands: false), at: .environment(name))
            return reader.value(node, path, form)
        }
        if let url = read("REDIS_URL", "redis.url", .redisURL) { configuration.redis.url = url }
        if let url = read("DATABASE_URL", "ledger.url", .ledger) { configuration.ledger.url = url }
    }

    private func readSecrets(
        into configuration: inout WeirConfiguration,
        _ reader: inout ConfigurationReader
    ) {
        for index in configuration.providers.indices {
            readSecret(
                "providers.\(index).apiKey",
                configuration.providers[index].apiKeyFile,
                .secret,
                into: &configuration.providers[index].apiKey,
                &reader
            )
        }
        for index in configuration.accounts.indices {
            readSecret(
                "accounts.\(index).sealingPassword",
                configuration.accounts[index].sealingPasswordFile,
                .password,
                into: &configuration.accounts[index].sealingPassword,
                &reader
            )
        }
        for index in configuration.sealing.keys.indices {
            readSecret(
                "sealing.keys.\(index).key",
                configuration.sealing.keys[index].keyFile,
                .sealingKey,
                into: &configuration.sealing.keys[index].key,
                &reader
            )
        }
    }

    /// Reads a secret from its file, if it has one.
    ///
    /// - Parameters:
    ///   - path: of the key that holds the secret itself; the file's has `File` at its end.
    ///   - file: nil if it has none.
    ///   - form: of the file's only line.
    ///   - secret: set.
    ///   - reader: takes the mistakes.
    private func readSecret(
        _ path: String,
        _ file: String?,
        _ form: ValueForm<Secret?>,
        into secret: inout Secret?,
        _ reader: inout ConfigurationReader
    ) {
        guard let file, let place = reader.places["\(path)File"] else { return }
        let name = path.split(separator: ".").last ?? ""
        guard secret == nil else {
            return reader.refuse("\(name) and \(name)File exclude each other", at: place)
        }
        do {
            let text = String(decoding: try readFile(file), as: UTF8.self)
            guard let read = form.parse(text.filter { !$0.isNewline }), let read else {
                return reader.refuse("the file must hold \(form.expectation)", at: place)
            }
            secret = read
        } catch {
            reader.refuse("the file \(error)", at: place)
        }
    }

    /// Returns what the price list prices; an error's text if it cannot be read.
    private func priceKeys(_ configuration: WeirConfiguration) -> PriceKeys {
        let isNeeded =
            configuration.models.contains { $0.price != .free }
            || configuration.accounts.contains { $0.currency != "USD" }
        return isNeeded ? PriceKeys(paths: configuration.prices, from: now, readFile) : .notNeeded
    }
}

extension [ConfigurationMistake] {
    /// The file's mistakes by line and column, the others after them.
    fileprivate var inOrderOfTheText: [ConfigurationMistake] {
        enumerated().sorted { left, right in
            switch (left.element.place, right.element.place) {
            case (.file(_, let first), .file(_, let second)):
                (first.line, first.column, left.offset) < (second.line, second.column, right.offset)
            case (.file, _): true
            case (_, .file): false
            default: left.offset < right.offset
            }
        }.map(\.element)
    }
}
