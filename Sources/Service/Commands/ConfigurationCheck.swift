import Glibc
import Reactor
import Telemetry
import TransportSecurity

/// `weir check`: reads the configuration and tries what it names.
struct ConfigurationCheck {
    /// The longest that anything may take to answer.
    static let patience = Duration.seconds(8)

    /// What became of one thing that was tried.
    enum Outcome: Equatable, Sendable {
        /// It works; how.
        case works(String)
        /// It does not; why.
        case fails(String)
    }

    let console: Console

    func run(_ options: CommandOptions) -> Int32 {
        let loader = options.configurationLoader
        let loaded: LoadedConfiguration
        do throws(ConfigurationRefused) {
            loaded = try loader.load()
        } catch {
            for mistake in error.mistakes { console.complain("\(mistake)") }
            console.complain("\(error.mistakes.count) mistakes in the configuration")
            return 1
        }
        for warning in loaded.warnings { console.complain("warning: \(warning)") }
        console.print(
            "ok    configuration: \(loaded.path ?? "no file, the defaults")"
        )
        var failures = 0
        for (name, outcome) in outcomes(of: loaded.configuration, loader.environment) {
            switch outcome {
            case .works(let how): console.print("ok    \(name): \(how)")
            case .fails(let why):
                console.print("FAIL  \(name): \(why)")
                failures += 1
            }
        }
        return failures == 0 ? 0 : 1
    }

    private func outcomes(
        of configuration: WeirConfiguration,
        _ environment: [String: String]
    ) -> [(String, Outcome)] {
        var attempts: [(String, @Sendable () -> Outcome)] = []
        for address in configuration.listen {
            attempts.append(("listen \(address)", { Self.listen(address, configuration) }))
        }
        attempts.append(
            ("admin \(configuration.admin)", { Self.listen(configuration.admin, configuration) })
        )
        if !configuration.tls.isEmpty {
            attempts.append(("tls", { Self.certificates(configuration) }))
        }
        attempts.append(
            ("data \(configuration.data.directory)", { Self.data(configuration.data.directory) })
        )
        let prices = configuration.prices
        attempts.append(("prices \(prices.joined(separator: ", "))", { Self.prices(prices) }))
        attempts.append(("redis", { Self.redis(configuration.redis.url, environment) }))
        attempts.append(("ledger", { Self.ledger(configuration) }))
        for provider in configuration.providers {
            attempts.append(
                ("provider \(provider.name)", { NetworkProbe.reach(provider.baseURL) })
            )
        }
        return inParallel(attempts)
    }

    /// Tries everything at once; what takes too long has failed.
    private func inParallel(
        _ attempts: [(String, @Sendable () -> Outcome)]
    ) -> [(String, Outcome)] {
        let results = Monitor([Int: Outcome]())
        for (index, attempt) in attempts.enumerated() {
            let work = attempt.1
            let isStarted =
                (try? NativeThread(named: "check") {
                    let outcome = work()
                    results.update { $0[index] = outcome }
                }) != nil
            if !isStarted {
                results.update { $0[index] = .fails("the system refuses another thread") }
            }
        }
        let count = attempts.count
        let found = results.wait(atMost: Self.patience) { $0.count == count ? $0 : nil }
        let outcomes = found ?? results.wait { $0 } ?? [:]
        return attempts.enumerated().map { index, attempt in
            (attempt.0, outcomes[index] ?? .fails("no answer within \(Self.patience)"))
        }
    }

    private static func listen(
        _ address: ListenAddress,
        _ configuration: WeirConfiguration
    ) -> Outcome {
        if let holder = DataDirectory.holder(of: configuration.data.directory) {
            return .works("not tried, the gateway runs (process \(holder))")
        }
        return NetworkProbe.bind(address)
    }

    private static func certificates(_ configuration: WeirConfiguration) -> Outcome {
        do throws(SecurityContextError) {
            let source = CertificateSource(configuration, makesOwn: false)
            let certificates = try source.read(at: .now)?.certificates ?? []
            let texts = certificates.map { certificate in
                let end = CalendarTime(milliseconds: certificate.validUntil.milliseconds).text
                let names = certificate.names.isEmpty ? [certificate.file] : certificate.names
                return "\(names.joined(separator: ", ")) until \(end.prefix(10))"
            }
            return .works(texts.joined(separator: "; "))
        } catch {
            return .fails(error.description)
        }
    }

    private static func data(_ path: String) -> Outcome {
        if let holder = DataDirectory.holder(of: path) { return .works("in use by \(holder)") }
        if unsafe access(path, W_OK | X_OK) == 0 { return .works("free") }
        guard errno == ENOENT else { return .fails(SystemError.text(errno)) }
        return .works("will be made")
    }

    private static func prices(_ paths: [String]) -> Outcome {
        do {
            let lists = try readPriceBook(paths).lists
            let versions = lists.map { "version \($0.version) with \($0.models.count) models" }
            return .works(versions.joined(separator: ", "))
        } catch {
            return .fails(error.description)
        }
    }

    private static func redis(_ url: ServiceURL?, _ environment: [String: String]) -> Outcome {
        if let url { return NetworkProbe.reach(url) }
        for (program, package) in [("redis-server", "redis-server"), ("setpriv", "util-linux")]
        where ChildCommand.find(program, in: environment) == nil {
            return .fails("\(PrivateRedisError.notInstalled(program: program, package: package))")
        }
        return .works("weir up will run a private one")
    }

    private static func ledger(_ configuration: WeirConfiguration) -> Outcome {
        switch configuration.ledger.url {
        case nil: return .works("ledger.db in the data directory")
        case .postgresql(_, let shown): return NetworkProbe.reach(shown)
        case .sqlite(let path):
            let slash = path.lastIndex(of: "/")
            let folder = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
            let isOwn = folder == configuration.data.directory
            guard unsafe access(folder, W_OK | X_OK) == 0 || (isOwn && errno == ENOENT) else {
                return .fails("\(folder): \(SystemError.text(errno))")
            }
            return .works(path)
        }
    }
}
