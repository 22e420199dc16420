/// What the command line said after the command's name.
package struct CommandOptions: Equatable, Sendable {
    /// `--config`; nil: the default file, if it exists.
    package var configurationPath: String?
    /// `--set`, each as `path=value`; `--data` counts as one of them.
    package var overrides: [String] = []
    /// `--share-port`: other gateways may listen on the same port.
    package var sharesPort = false
    /// `--takeover`: take the listening sockets of the gateway that runs.
    package var takesOver = false
    /// `--tls`: speak TLS with a certificate made for this machine, when none is configured.
    package var securesItself = false
    /// `--account`.
    package var account: String?
    /// What `weir usage` is asked for, by the names of the parameters of `/api/usage`.
    package var query: [String: String] = [:]
    /// What is no option, in order.
    package var operands: [String] = []

    package init() {}

    /// What reads the configuration for these options and this process' environment.
    package var configurationLoader: ConfigurationLoader {
        ConfigurationLoader(
            path: configurationPath,
            overrides: overrides,
            environment: ProcessEnvironment.variables
        )
    }
}

/// An option of a command.
struct CommandOption: Sendable {
    /// With its two dashes.
    let name: String
    /// What its value is called in help; nil: it has none.
    let value: String?
    let summary: String
    let apply: @Sendable (inout CommandOptions, String) -> Void

    static let configuration = CommandOption(
        name: "--config",
        value: "FILE",
        summary: "the configuration (default: \(ConfigurationLoader.defaultPath))"
    ) { $0.configurationPath = $1 }
    static let override = CommandOption(
        name: "--set",
        value: "PATH=VALUE",
        summary: "overrides one value, such as stream.heartbeat=5s; may be repeated"
    ) { $0.overrides.append($1) }
    static let data = CommandOption(
        name: "--data",
        value: "FOLDER",
        summary: "the same as --set data.directory=FOLDER"
    ) { $0.overrides.append("data.directory=\($1)") }
    static let account = CommandOption(
        name: "--account",
        value: "ID",
        summary: "the account"
    ) { $0.account = $1 }
    /// A parameter of a query.
    static func query(_ name: String, _ value: String, _ summary: String) -> CommandOption {
        CommandOption(name: "--\(name)", value: value, summary: summary) { $0.query[name] = $1 }
    }

    static let sharePort = CommandOption(
        name: "--share-port",
        value: nil,
        summary: "let other gateways listen on the same port"
    ) { options, _ in options.sharesPort = true }
    static let secureItself = CommandOption(
        name: "--tls",
        value: nil,
        summary: "speak TLS, without a tls.certificate with one made for localhost"
    ) { options, _ in options.securesItself = true }
    static let takeOver = CommandOption(
        name: "--takeover",
        value: nil,
        summary: "take the listening sockets of the gateway that runs"
    ) { options, _ in options.takesOver = true }
}
