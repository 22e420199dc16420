import Dialects
import HTTPWire
import Providers

/// What happens to a provider's answer when its client has left for good.
package enum DisconnectPolicy: String, Sendable {
    /// The provider is cancelled.
    case cancel
    /// The answer is read to its end, for its usage.
    case drain
}

/// One provider that can answer for a model.
///
/// A class, so that each of many streams holds a reference to what they share.
package final class RouteTarget: Sendable {
    /// The provider's name in the configuration.
    package let provider: String
    package let dialect: Dialect
    package let endpoint: ProviderEndpoint
    /// The base URL's path, without a slash at its end.
    package let basePath: String
    /// The provider's own name for the model.
    package let model: String
    package let apiKey: String?
    package let onDisconnect: DisconnectPolicy
    package let includesUsage: Bool
    package let timeouts: ProviderTimeouts

    package init(
        provider: String,
        dialect: Dialect,
        endpoint: ProviderEndpoint,
        basePath: String,
        model: String,
        apiKey: String?,
        onDisconnect: DisconnectPolicy,
        includesUsage: Bool,
        timeouts: ProviderTimeouts
    ) {
        self.provider = provider
        self.dialect = dialect
        self.endpoint = endpoint
        self.basePath = basePath
        self.model = model
        self.apiKey = apiKey
        self.onDisconnect = onDisconnect
        self.includesUsage = includesUsage
        self.timeouts = timeouts
    }
}

/// A model that clients may ask for.
package struct Model: Sendable {
    package let name: String
    /// The key of the price list, or `free`.
    package let price: String
    /// In the order in which they are tried; at least one.
    package let route: [RouteTarget]

    package init(name: String, price: String, route: [RouteTarget]) {
        precondition(!route.isEmpty, "a model has a provider")
        self.name = name
        self.price = price
        self.route = route
    }
}

/// The models by the names that clients use.
package struct ModelCatalog: Sendable {
    /// In the order of the configuration.
    package let models: [Model]
    private let indexByName: [String: Int]

    /// - Parameter models: with different names.
    package init(_ models: [Model]) {
        self.models = models
        indexByName = Dictionary(
            uniqueKeysWithValues: models.enumerated().map { ($1.name, $0) }
        )
    }

    package subscript(name: String) -> Model? { indexByName[name].map { models[$0] } }
}
