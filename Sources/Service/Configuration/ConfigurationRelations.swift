import Pricing

/// What must hold between values that are each right alone.
struct ConfigurationRelations {
    private var reader: ConfigurationReader
    private let whole: ConfigurationPlace
    private(set) var warnings: [ConfigurationMistake] = []

    /// - Parameters:
    ///   - reader: knows where the keys stand, and takes the mistakes.
    ///   - whole: the place of what does not stand anywhere.
    init(reader: ConfigurationReader, whole: ConfigurationPlace) {
        self.reader = reader
        self.whole = whole
    }

    var mistakes: [ConfigurationMistake] { reader.mistakes }

    mutating func check(_ configuration: WeirConfiguration, priceKeys: PriceKeys) {
        checkListeners(configuration)
        checkSizes(configuration)
        checkRedis(configuration.redis)
        checkAccounts(configuration.accounts)
        checkSealing(configuration)
        checkUnique(configuration.providers.map(\.name), in: "providers", key: "name")
        checkUnique(configuration.models.map(\.name), in: "models", key: "name")
        checkRoutes(configuration)
        checkPrices(configuration, priceKeys)
    }

    private mutating func checkListeners(_ configuration: WeirConfiguration) {
        let listeners = configuration.listen.indices.map { index in
            (address: configuration.listen[index], path: "listen.\(index)")
        }
        let all = listeners + [(address: configuration.admin, path: "admin")]
        for (index, later) in all.enumerated() {
            for earlier in all[..<index] where earlier.address.clashes(with: later.address) {
                // The admin address may be a default that stands nowhere.
                let path = reader.places[later.path] == nil ? earlier.path : later.path
                refuse(
                    "\(earlier.address) and \(later.address) cannot both be listened on",
                    at: path
                )
            }
        }
        for (address, path) in listeners where configuration.access.open && !address.isLoopback {
            refuse(
                "access.open would let anybody use \(address), which is not loopback",
                at: path,
                or: "access.open"
            )
        }
        if !configuration.admin.isLoopback {
            warn(
                "the admin listener asks for no key and can be reached from elsewhere",
                at: "admin"
            )
        }
    }

    private mutating func checkSizes(_ configuration: WeirConfiguration) {
        let stream = configuration.stream
        if stream.buffer.bytes > stream.buffer.limit {
            refuse(
                "buffer.bytes (\(stream.buffer.bytes)) exceeds buffer.limit (\(stream.buffer.limit))",
                at: "stream.buffer.bytes",
                or: "stream.buffer.limit"
            )
        }
        if stream.log.perStream > stream.log.total {
            refuse(
                "log.perStream (\(stream.log.perStream)) exceeds log.total (\(stream.log.total))",
                at: "stream.log.perStream",
                or: "stream.log.total"
            )
        }
        checkUnique(stream.compression.map(\.rawValue), in: "stream.compression", key: nil)
        checkUnique(configuration.metering.groups, in: "metering.groups", key: nil)
        if !configuration.metering.groups.contains("billing"),
            configuration.metering.acknowledge == .ledger
        {
            warn(
                "metering.acknowledge is ledger, but the group billing is not waited for",
                at: "metering.groups"
            )
        }
    }

    private mutating func checkRedis(_ redis: RedisConfiguration) {
        if (redis.certificate == nil) != (redis.key == nil) {
            refuse(
                "redis.certificate and redis.key belong together",
                at: "redis.certificate",
                or: "redis.key"
            )
        }
        let files = [redis.authorityFile, redis.certificate, redis.key]
        if let url = redis.url, url.scheme != "rediss", files.contains(where: { $0 != nil }) {
            warn("redis.url is not rediss://, so its certificates are not used", at: "redis.url")
        }
    }

    private mutating func checkAccounts(_ accounts: [AccountConfiguration]) {
        checkUnique(accounts.map(\.id), in: "accounts", key: "id")
        var seen: Set<String> = []
        var digests: Set<String> = []
        for (index, account) in accounts.enumerated() {
            for (number, key) in account.keys.enumerated() {
                let path = "accounts.\(index).keys.\(number)"
                if !key.id.isEmpty, !seen.insert(key.id).inserted {
                    refuse("another key has the id \"\(key.id)\"", at: "\(path).id")
                }
                let isRead = reader.places["\(path).sha256"] != nil
                if isRead, !digests.insert(key.sha256.hexadecimal).inserted {
                    refuse("the same key stands elsewhere too", at: "\(path).sha256")
                }
            }
            checkQuotas(account.quotas, at: "accounts.\(index).quotas")
            if AccountTerms.exchangeRateMillionths(account.fx) == nil {
                refuse(
                    "a rate has at most six decimals and is at most 1000000",
                    at: "accounts.\(index).fx"
                )
            }
        }
    }

    private mutating func checkQuotas(_ quotas: [QuotaConfiguration], at path: String) {
        for (number, quota) in quotas.enumerated() {
            if quota.kind == .tokens && quota.limit.contains(".") {
                refuse("a number of tokens is whole", at: "\(path).\(number).limit")
            } else if Quota(metric: quota.kind.rawValue, limit: quota.limit) == nil {
                refuse(
                    "a limit is below 9 billion dollars with at most nine decimals, or a number "
                        + "of tokens below 9 quintillion",
                    at: "\(path).\(number).limit"
                )
            }
            if quotas[..<number].contains(quota) {
                refuse("the same quota stands twice", at: "\(path).\(number).limit")
            }
        }
    }

    private mutating func checkSealing(_ configuration: WeirConfiguration) {
        let keys = configuration.sealing.keys
        checkUnique(keys.map(\.id), in: "sealing.keys", key: "id")
        let accounts =
            configuration.accounts.isEmpty ? ["local"] : configuration.accounts.map(\.id)
        for (index, key) in keys.enumerated() {
            if !key.account.isEmpty, !accounts.contains(key.account) {
                refuse(
                    "there is no account \"\(key.account.printable)\"",
                    at: "sealing.keys.\(index).account",
                    suggestion: Suggestion.nearest(to: key.account, among: accounts)
                )
            }
            let isGiven = reader.places["sealing.keys.\(index).key"] != nil
            if key.key == nil, key.keyFile == nil, !isGiven {
                refuse("key or keyFile is needed", at: "sealing.keys.\(index)")
            }
        }
    }

    private mutating func checkRoutes(_ configuration: WeirConfiguration) {
        let names = configuration.providers.map(\.name)
        for (index, model) in configuration.models.enumerated() {
            for (number, step) in model.route.enumerated()
            where !step.provider.isEmpty && !names.contains(step.provider) {
                refuse(
                    "there is no provider \"\(step.provider.printable)\"",
                    at: "models.\(index).route.\(number).provider",
                    suggestion: Suggestion.nearest(to: step.provider, among: names)
                )
            }
        }
        if configuration.models.isEmpty && !configuration.providers.isEmpty {
            warn("providers are configured, but no model leads to one", at: "providers")
        }
        let used = Set(configuration.models.flatMap { $0.route.map(\.provider) })
        for (index, name) in names.enumerated()
        where !configuration.models.isEmpty && !used.contains(name) {
            warn("no model leads to the provider \"\(name)\"", at: "providers.\(index).name")
        }
    }

    private mutating func checkPrices(_ configuration: WeirConfiguration, _ keys: PriceKeys) {
        switch keys {
        case .notNeeded: break
        case .unreadable(let why):
            refuse(why, at: "prices")
        case .known(let keys, let currencies):
            for (index, account) in configuration.accounts.enumerated()
            where !currencies.contains(account.currency) {
                refuse(
                    "the price list has no currency \(account.currency)",
                    at: "accounts.\(index).currency",
                    suggestion: Suggestion.nearest(
                        to: account.currency,
                        among: currencies.sorted()
                    )
                )
            }
            for (index, model) in configuration.models.enumerated() {
                guard case .listed(let key) = model.price, !keys.contains(key) else { continue }
                refuse(
                    "the price list has no \"\(key.printable)\"",
                    at: "models.\(index).price",
                    suggestion: Suggestion.nearest(to: key, among: keys + ["free"])
                )
            }
        }
    }

    private mutating func checkUnique(_ names: [String], in path: String, key: String?) {
        var seen: Set<String> = []
        for (index, name) in names.enumerated() where !name.isEmpty {
            if seen.insert(name).inserted { continue }
            refuse(
                "\"\(name.printable)\" stands twice",
                at: "\(path).\(index)" + (key.map { ".\($0)" } ?? "")
            )
        }
    }

    private mutating func refuse(
        _ message: String,
        at path: String,
        or other: String? = nil,
        suggestion: String? = nil
    ) {
        reader.refuse(message, at: place(path, or: other), suggestion: suggestion)
    }

    private mutating func warn(_ message: String, at path: String) {
        warnings.append(ConfigurationMistake(message, at: place(path, or: nil)))
    }

    private func place(_ path: String, or other: String?) -> ConfigurationPlace {
        reader.places[path] ?? other.flatMap { reader.places[$0] } ?? whole
    }
}

extension ListenAddress {
    /// Whether the two cannot be bound at once; port 0 never clashes.
    fileprivate func clashes(with other: ListenAddress) -> Bool {
        guard port == other.port, port != 0 else { return false }
        return isWildcard || other.isWildcard || socketAddress == other.socketAddress
    }
}
