import Cryptography
import Dialects
import Gateway
import HTTPServer
import HTTPWire
import Providers
import Sealing

extension WeirConfiguration {
    /// What a server takes from its clients.
    var server: ServerConfiguration {
        var server = ServerConfiguration()
        server.limits.headByteLimit = limits.head.bytes
        server.limits.bodyByteLimit = limits.body.bytes
        server.http2.streamLimit = limits.streamsPerConnection
        server.http2.headerListByteLimit = limits.head.bytes
        server.stuckTimeout = stream.buffer.stuck
        server.writeByteLimit = stream.buffer.bytes.bytes
        server.securityFields = SecurityFields(strictTransport: hsts)
        return server
    }

    /// What the gateway needs to know.
    ///
    /// - Parameter allowsLocalhost: whether pages of this machine may use it from a browser.
    /// - Throws: `UnservedDialect` when a route leads to such a provider.
    /// - Returns: the gateway's settings.
    func gatewaySettings(allowsLocalhost: Bool) throws(UnservedDialect) -> GatewaySettings {
        var settings = GatewaySettings()
        settings.streams = stream.settings
        var served: [Model] = []
        for model in models { served.append(try self.served(model)) }
        settings.models = ModelCatalog(served)
        settings.origins = OriginList(cors.origins, allowsLocalhost: allowsLocalhost)
        settings.sealing = sealingSettings
        settings.isOpen = access.open
        settings.streamLimit = limits.streams
        settings.bodyLimit = limits.body.bytes
        settings.meteringInterval = metering.interval
        return settings
    }

    private var sealingSettings: SealingSettings {
        var settings = SealingSettings()
        for key in sealing.keys {
            guard let secret = key.bytes else { continue }
            settings.keys[key.id] = SharedKey(id: key.id, account: key.account, secret: secret)
        }
        for account in accounts {
            guard let password = account.sealingPassword else { continue }
            var bytes = Array(password.revealed.utf8)
            settings.passwords[account.id] = SecretBytes(bytes.span)
            wipe(&bytes)
        }
        settings.rotation.eventLimit = UInt32(sealing.rotate.events)
        settings.rotation.interval = sealing.rotate.interval
        settings.pad = sealing.pad
        return settings
    }

    private func served(_ model: ModelConfiguration) throws(UnservedDialect) -> Model {
        let price =
            switch model.price {
            case .free: "free"
            case .listed(let key): key
            }
        var route: [RouteTarget] = []
        for step in model.route { route.append(try target(step)) }
        return Model(name: model.name, price: price, route: route)
    }

    private func target(_ step: RouteStep) throws(UnservedDialect) -> RouteTarget {
        guard let provider = providers.first(where: { $0.name == step.provider }) else {
            preconditionFailure("a route names providers that are configured")
        }
        guard let dialect = provider.dialect.served else {
            throw UnservedDialect(provider: provider.name, dialect: provider.dialect)
        }
        let url = provider.baseURL
        let isSecure = url.scheme == "https"
        return RouteTarget(
            provider: provider.name,
            dialect: dialect,
            endpoint: ProviderEndpoint(
                host: url.host,
                port: url.port ?? (isSecure ? 443 : 80),
                isSecure: isSecure,
                authorityFile: provider.authorityFile,
                http2: provider.http2.served
            ),
            basePath: url.path,
            model: step.model,
            apiKey: provider.apiKey?.revealed,
            onDisconnect: provider.onDisconnect == .drain ? .drain : .cancel,
            includesUsage: provider.includeUsage,
            timeouts: timeouts.with(provider.timeouts).served
        )
    }
}

extension ProviderConfiguration.HTTP2 {
    fileprivate var served: HTTP2Use {
        switch self {
        case .auto: .negotiated
        case .off: .never
        case .priorKnowledge: .priorKnowledge
        }
    }
}

extension StreamConfiguration {
    fileprivate var settings: StreamSettings {
        var settings = StreamSettings()
        settings.heartbeat = heartbeat > .zero ? heartbeat : nil
        settings.sendsHeartbeatEvents = heartbeatForm == .event
        settings.lifetime = lifetime
        settings.resumeWindow = resumeWindow
        settings.logByteLimit = log.perStream.bytes
        settings.totalLogByteLimit = log.total.bytes
        settings.bufferBytes = buffer.bytes.bytes
        settings.bufferDelay = buffer.delay
        settings.bufferLimit = buffer.limit.bytes
        settings.codings = compression
        settings.codingBudget = compressionBudget.bytes
        return settings
    }
}

extension TimeoutConfiguration {
    fileprivate var served: ProviderTimeouts {
        var timeouts = ProviderTimeouts()
        timeouts.connect = connect
        timeouts.firstByte = firstByte
        timeouts.silence = silence
        return timeouts
    }
}

extension ProviderConfiguration.Dialect {
    /// The dialect as it is spoken; nil for one that is not spoken yet.
    var served: Dialect? {
        switch self {
        case .openAI: .openAI
        case .anthropic: .anthropic
        case .openAIResponses, .gemini, .ollama: nil
        }
    }
}

/// A provider speaks a dialect that the configuration knows and this version does not.
struct UnservedDialect: Error, Equatable, CustomStringConvertible {
    let provider: String
    let dialect: ProviderConfiguration.Dialect

    var description: String {
        "providers: \(provider) speaks \(dialect.rawValue), which this version does not serve; "
            + "served are openai and anthropic"
    }
}
