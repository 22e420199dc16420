/// Everything that an operator can decide, with the defaults.
///
/// `Config/weir.yaml` documents every key; a test compares the two.
package struct WeirConfiguration: Equatable, Sendable {
    /// The public listeners.
    package var listen = [ListenAddress(host: "127.0.0.1", port: 8_080)]
    /// The listener for metrics, the console and every account's streams.
    package var admin = ListenAddress(host: "127.0.0.1", port: 8_081)
    /// The certificates of the public listeners; none: plain HTTP.
    package var tls: [CertificateFiles] = []
    /// How long browsers shall insist on HTTPS once they saw it; zero: they are told nothing.
    package var hsts = Duration.seconds(365 * 86_400)
    package var data = DataConfiguration()
    package var redis = RedisConfiguration()
    package var ledger = LedgerConfiguration()
    package var access = AccessConfiguration()
    package var cors = CORSConfiguration()
    package var accounts: [AccountConfiguration] = []
    package var providers: [ProviderConfiguration] = []
    package var models: [ModelConfiguration] = []
    package var stream = StreamConfiguration()
    package var sealing = SealingConfiguration()
    package var timeouts = TimeoutConfiguration()
    package var limits = LimitConfiguration()
    package var metering = MeteringConfiguration()
    package var billing = BillingKeys()
    package var alerts = AlertConfiguration()
    package var drain = DrainConfiguration()
    /// JSON files with one price list each, or an array of them.
    package var prices = ["Config/prices.json"]

    package init() {}
}

/// A certificate chain and its key, both PEM files.
package struct CertificateFiles: Equatable, Sendable {
    package var certificate = ""
    package var key = ""

    package init() {}
}

/// Where the gateway keeps what must survive it.
package struct DataConfiguration: Equatable, Sendable {
    /// Made with mode 0700 when it is missing; belongs to one gateway at a time.
    package var directory = ".weir"

    package init() {}
}

/// The Redis that takes the meter records.
package struct RedisConfiguration: Equatable, Sendable {
    /// Nil: `weir up` runs a private one.
    package var url: ServiceURL?
    /// With `rediss`: a PEM file of authorities trusted besides the system's.
    package var authorityFile: String?
    /// With `rediss`: the client's own certificate and its key, PEM files; both or neither.
    package var certificate: String?
    package var key: String?

    package init() {}
}

/// Where charges are booked.
package struct LedgerConfiguration: Equatable, Sendable {
    /// Nil: SQLite in `ledger.db` in the data directory.
    package var url: LedgerLocation?

    package init() {}
}

/// Who may ask for streams.
package struct AccessConfiguration: Equatable, Sendable {
    /// No key is asked for; allowed on loopback only.
    package var open = false

    package init() {}
}

/// Which pages of other origins may use the gateway from a browser.
package struct CORSConfiguration: Equatable, Sendable {
    /// Origins as browsers write them: scheme, host, and port unless it is the scheme's own.
    package var origins: [String] = []

    package init() {}
}

/// How long to wait for what is running when the process is asked to stop.
package struct DrainConfiguration: Equatable, Sendable {
    package var deadline = Duration.seconds(25)

    package init() {}
}

/// How many and how large things may get.
package struct LimitConfiguration: Equatable, Sendable {
    /// Open streams; more are refused.
    package var streams = 10_000
    /// Bytes of a request's body.
    package var body = ByteCount(kibibytes: 4 * 1_024)
    /// Bytes of a request's head.
    package var head = ByteCount(kibibytes: 32)
    /// Requests that a client of HTTP/2 may have open on one connection.
    package var streamsPerConnection = 128

    package init() {}
}
