/// A model provider.
package struct ProviderConfiguration: Equatable, Sendable {
    /// Whose API the provider speaks.
    package enum Dialect: String, CaseIterable, Sendable {
        case openAI = "openai"
        case openAIResponses = "openai-responses"
        case anthropic
        case gemini
        case ollama
    }

    /// What happens to a generation whose client is gone for good.
    package enum Disconnection: String, CaseIterable, Sendable {
        /// The provider's connection is closed.
        case cancel
        /// The answer is read, and metered, to its end.
        case drain
    }

    /// When HTTP/2 is spoken, which lets many requests share a connection.
    package enum HTTP2: String, CaseIterable, Sendable {
        /// Where the provider offers it over TLS.
        case auto
        case off
        /// Always: the provider is known to speak it.
        case priorKnowledge = "prior-knowledge"
    }

    /// What routes call it.
    package var name = ""
    package var dialect = Dialect.openAI
    package var baseURL = ServiceURL.none
    /// Nil: requests carry no key.
    package var apiKey: Secret?
    /// A file that holds the key; read when the configuration is.
    package var apiKeyFile: String?
    /// A PEM file of authorities trusted besides the system's.
    package var authorityFile: String?
    package var http2 = HTTP2.auto
    package var onDisconnect = Disconnection.cancel
    /// Ask for usage even if the client did not.
    package var includeUsage = true
    /// What this provider has instead of the common ones.
    package var timeouts = TimeoutOverrides()

    package init() {}
}

/// How long a provider may take.
package struct TimeoutConfiguration: Equatable, Sendable {
    /// For the connection, TLS included.
    package var connect = Duration.seconds(5)
    /// From the request to the response's first byte.
    package var firstByte = Duration.seconds(120)
    /// Between two reads of the body.
    package var silence = Duration.seconds(90)

    package init() {}

    /// Returns these, but for those that `overrides` has.
    package func with(_ overrides: TimeoutOverrides) -> TimeoutConfiguration {
        var result = self
        result.connect = overrides.connect ?? connect
        result.firstByte = overrides.firstByte ?? firstByte
        result.silence = overrides.silence ?? silence
        return result
    }
}

/// The times that one provider has of its own; nil: as common to all.
package struct TimeoutOverrides: Equatable, Sendable {
    package var connect: Duration?
    package var firstByte: Duration?
    package var silence: Duration?

    package init() {}
}

/// A model as clients ask for it.
package struct ModelConfiguration: Equatable, Sendable {
    package var name = ""
    package var price = PriceReference.free
    /// Tried in this order; never empty.
    package var route: [RouteStep] = []

    package init() {}
}

/// What a model costs.
package enum PriceReference: Equatable, Sendable {
    case free
    /// A key of the price list.
    case listed(String)
}

/// One provider's model.
package struct RouteStep: Equatable, Sendable {
    /// The name of a provider.
    package var provider = ""
    /// What that provider calls the model.
    package var model = ""

    package init() {}
}
