import Dialects
import Gateway
import HTTPServer
import HTTPWire
import Providers

extension WeirConfiguration {
    /// What a server takes from its clients.
    var server: ServerConfiguration {
        var server = ServerConfiguration()
        server.limits.headByteLimit = limits.head.bytes
        server.limits.bodyByteLimit = limits.body.bytes
        server.stuckTimeout = stream.buffer.stuck
        server.writeByteLimit = stream.buffer.bytes.bytes
        return server
    }

    /// What the gateway needs to know.
    ///
    /// - Parameter allowsLocalhost: whether pages of this machine may use it from a browser.
    /// - Returns: the gateway's settings.
    func gatewaySettings(allowsLocalhost: Bool) -> GatewaySettings {
        var settings = GatewaySettings()
        settings.streams = stream.settings
        settings.models = ModelCatalog(models.map(served))
        settings.origins = OriginList(cors.origins, allowsLocalhost: allowsLocalhost)
        settings.isOpen = access.open
        settings.streamLimit = limits.streams
        settings.bodyLimit = limits.body.bytes
        settings.meteringInterval = metering.interval
        return settings
    }

    private func served(_ model: ModelConfiguration) -> Model {
        let price =
            switch model.price {
            case .free: "free"
            case .listed(let key): key
            }
        return Model(name: model.name, price: price, route: model.route.compactMap(target))
    }

    private func target(_ step: RouteStep) -> RouteTarget? {
        guard let provider = providers.first(where: { $0.name == step.provider }),
            let dialect = provider.dialect.served
        else { return nil }
        let url = provider.baseURL
        let isSecure = url.scheme == "https"
        return RouteTarget(
            provider: provider.name,
            dialect: dialect,
            endpoint: ProviderEndpoint(
                host: url.host,
                port: url.port ?? (isSecure ? 443 : 80),
                isSecure: isSecure,
                authorityFile: provider.authorityFile
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
