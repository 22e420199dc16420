import HTTPServer
import Reactor
import Replay
import ReplayProvider

/// The built-in provider that replays recorded answers, and the models that it answers for.
enum Demonstration {
    /// Starts the provider on a free loopback port.
    ///
    /// - Throws: `ListenError`.
    static func start(
        on group: ReactorGroup
    ) throws(ListenError) -> (address: SocketAddress, connections: ConnectionRegistry) {
        let connections = ConnectionRegistry(
            configuration: ServerConfiguration(),
            reactorCount: group.reactors.count
        )
        let handler = ReplayHandler()
        let address = try group.listen(
            on: .v4(0x7F00_0001, port: 0),
            acceptor: ServerAcceptor(
                registry: connections,
                handlers: group.reactors.map { _ in handler }
            )
        )
        return (address, connections)
    }

    /// Adds the provider, in both of its dialects, and its models.
    static func configure(_ configuration: inout WeirConfiguration, port: UInt16) {
        guard let url = ServiceURL("http://127.0.0.1:\(port)/v1") else { return }
        for (name, dialect) in [(openAI, .openAI), (anthropic, .anthropic)]
            as [(String, ProviderConfiguration.Dialect)]
        {
            var provider = ProviderConfiguration()
            provider.name = name
            provider.dialect = dialect
            provider.baseURL = url
            configuration.providers.append(provider)
        }
        configuration.models = priced.map { model($0, of: $1, as: $2, price: .listed($3)) }
        configuration.models += free.map { model($0, of: openAI, as: $0, price: .free) }
    }

    private static let openAI = "demonstration"
    private static let anthropic = "demonstration-anthropic"

    /// Models with a price: the name that clients use, the provider, its model, the price.
    private static let priced = [
        ("gpt-4", openAI, "demo", "openai/gpt-4"),
        ("gpt-3.5-turbo", openAI, "demo-emoji", "openai/gpt-3.5-turbo"),
        ("claude-3-sonnet", anthropic, "demo", "anthropic/claude-3-sonnet"),
    ]

    private static let free =
        ["demo", "demo-long", "demo-emoji"] + TestModel.allCases.map(\.rawValue)

    private static func model(
        _ name: String,
        of provider: String,
        as upstream: String,
        price: PriceReference
    ) -> ModelConfiguration {
        var step = RouteStep()
        step.provider = provider
        step.model = upstream
        var model = ModelConfiguration()
        model.name = name
        model.price = price
        model.route = [step]
        return model
    }
}
