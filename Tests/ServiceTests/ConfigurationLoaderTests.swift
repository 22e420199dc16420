import Service
import Testing

/// The configuration as an operator meets it.
struct ConfigurationLoaderTests {
    private func load(
        _ text: String,
        set overrides: [String] = [],
        environment: [String: String] = [:],
        files: [String: String] = [:]
    ) throws(ConfigurationRefused) -> LoadedConfiguration {
        try ConfigurationLoader(
            path: "w.yaml",
            overrides: overrides,
            environment: environment
        ) { path throws(FileError) in
            if path == "w.yaml" { return Array(text.utf8) }
            if let file = files[path] { return Array(file.utf8) }
            return try pricesOrNothing(path)
        }.load()
    }

    private func mistakes(
        _ text: String,
        set overrides: [String] = [],
        environment: [String: String] = [:],
        files: [String: String] = [:]
    ) -> [String] {
        do {
            _ = try load(text, set: overrides, environment: environment, files: files)
            return []
        } catch {
            return error.mistakes.map(\.description)
        }
    }

    @Test func `values of every kind arrive where they belong`() throws {
        let configuration = try load(
            """
            listen: ["[::1]:8080", localhost:9090]
            tls: { certificate: a.pem, key: b.pem }
            redis: { url: "rediss://u:p%40ss@cache.example:6380/2" }
            ledger: { url: "sqlite:/var/lib/weir/l.db" }
            cors: { origins: [http://localhost:3000] }
            accounts:
              - { id: acme, currency: EUR, fx: "0.92", vatIdValid: true, discountMode: graduated,
                  quotas: [{ kind: spend, limit: 10.5 }],
                  keys: [{ id: k1, sha256: E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855 }] }
            providers:
              - { name: a, dialect: anthropic, baseURL: "https://api.anthropic.com/v1", onDisconnect: drain,
                  timeouts: { silence: 1m30s } }
            models:
              - { name: m, price: openai/gpt-4, route: [{ provider: a, model: c }] }
            stream: { buffer: { bytes: 64KB, delay: 0s }, compression: [] }
            limits: { streams: 5, body: 1024 }
            metering: { acknowledge: redis, groups: other }
            """
        ).configuration

        #expect(configuration.listen.map(\.description) == ["[::1]:8080", "localhost:9090"])
        #expect(configuration.tls.map(\.key) == ["b.pem"])
        #expect(configuration.redis.url?.password?.revealed == "p@ss")
        #expect(configuration.redis.url?.port == 6_380)
        #expect(configuration.redis.url?.path == "/2")
        #expect(configuration.ledger.url == .sqlite(path: "/var/lib/weir/l.db"))
        #expect(configuration.accounts[0].quotas[0].limit == "10.5")
        #expect(configuration.accounts[0].keys[0].id == "k1")
        #expect(configuration.accounts[0].discountMode == .graduated)
        #expect(configuration.providers[0].onDisconnect == .drain)
        let times = configuration.timeouts.with(configuration.providers[0].timeouts)
        #expect(times.silence == .seconds(90) && times.connect == .seconds(5))
        #expect(configuration.models[0].price == .listed("openai/gpt-4"))
        #expect(configuration.stream.buffer.bytes.bytes == 64_000)
        #expect(configuration.stream.compression.isEmpty)
        #expect(configuration.stream.heartbeat == .seconds(15))
        #expect(configuration.limits.body.bytes == 1_024)
        #expect(configuration.metering.groups == ["other"])
    }

    @Test func `certificates are one map or a list of maps`() throws {
        let one = try load("tls: { certificate: a.pem, key: a.key }").configuration
        let two = try load(
            "tls:\n  - { certificate: a.pem, key: a.key }\n  - { certificate: b.pem, key: b.key }"
        ).configuration

        #expect(one.tls.map(\.certificate) == ["a.pem"])
        #expect(two.tls.map(\.certificate) == ["a.pem", "b.pem"])
        #expect(
            mistakes("tls:\n  - { certificate: a.pem }\nhsts: 1")
                == [
                    "w.yaml:2:5: the key \"key\" is missing",
                    "w.yaml:3:7: expected a duration with its unit (ms, s, m, h, d), from 0s to 730d, not \"1\"",
                ]
        )
        #expect(mistakes("tls: yes") == ["w.yaml:1:6: expected a map of keys and values"])
    }

    @Test func `every mistake is reported, each at its place, in the order of the text`() {
        #expect(
            mistakes(
                """
                stream:
                  heartbaet: 15s
                  heartbeatForm: comet
                  buffer: { delay: 15 }
                lisen: x
                admin: "8081"
                limits: [1]
                providers:
                  - dialect: openai
                    baseURL: ftp://x
                """
            )
                == [
                    "w.yaml:2:3: unknown key \"heartbaet\"; did you mean \"heartbeat\"?",
                    "w.yaml:3:18: expected one of comment, event, not \"comet\"; did you mean \"comment\"?",
                    "w.yaml:4:20: expected a duration with its unit (ms, s, m, h, d), from 0s to 10s, not \"15\"",
                    "w.yaml:5:1: unknown key \"lisen\"; did you mean \"listen\"?",
                    "w.yaml:6:8: expected an address such as 127.0.0.1:8080, [::1]:8080 or localhost:8080, not \"8081\"",
                    "w.yaml:7:9: expected a map of keys and values",
                    "w.yaml:9:5: the key \"name\" is missing",
                    "w.yaml:10:14: expected a URL such as https://api.example.com/v1",
                ]
        )
    }

    @Test func `what is no YAML is refused with its place`() {
        #expect(
            mistakes("stream:\n  heartbeat: 15s\n heartbeat: 1s").first?.hasPrefix("w.yaml:3:2: ")
                == true
        )
        #expect(
            mistakes("drain: {deadline: 1s}\ndrain: {deadline: 2s}")
                == ["w.yaml:2:1: the key \"drain\" stands twice; the first is in line 1"]
        )
    }

    @Test func `a file that was named must exist, the default one need not`() throws {
        let missing = { @Sendable (path: String) throws(FileError) -> [UInt8] in throw .missing }

        #expect(throws: ConfigurationRefused.self) {
            try ConfigurationLoader(path: "x.yaml", readFile: missing).load()
        }
        let loaded = try ConfigurationLoader(path: nil, readFile: missing).load()
        #expect(loaded.configuration == WeirConfiguration())
        #expect(loaded.path == nil)
    }

    @Test func `a section without keys has its defaults`() throws {
        #expect(try load("stream:\nproviders:\ntls:\n").configuration == WeirConfiguration())
    }

    @Test func `variables come from the environment`() throws {
        let text = """
            data: { directory: "${HOME_OF_WEIR}/data" }
            prices: ${PRICES:-p.json}
            metering: { slots: '${LITERAL}' }
            redis: { url: "${CACHE:-redis://localhost}" }
            """
        let configuration = try load(
            text,
            environment: ["HOME_OF_WEIR": "/srv", "PRICES": ""]
        ).configuration

        #expect(configuration.data.directory == "/srv/data")
        #expect(configuration.prices == ["p.json"])
        #expect(configuration.metering.slots == "${LITERAL}")
        #expect(configuration.redis.url?.host == "localhost")
        #expect(
            mistakes("prices: ${NOT_THERE}") == [
                "w.yaml:1:9: the environment variable NOT_THERE is not set (${NOT_THERE:-} allows that)"
            ]
        )
        #expect(mistakes("prices: ${1X}") == ["w.yaml:1:9: expected ${NAME} or ${NAME:-default}"])
        #expect(try load("prices: a$$b$c").configuration.prices == ["a$b$c"])
        #expect(try load("prices: [a, b]").configuration.prices == ["a", "b"])
    }

    @Test func `the environment's addresses hold only where the keys are absent`() throws {
        let environment = [
            "REDIS_URL": "redis://env:1", "DATABASE_URL": "postgresql://u:secret@db/weir",
        ]

        let absent = try load("", environment: environment).configuration
        let given = try load("redis: {url: 'redis://file:1'}", environment: environment)

        #expect(absent.redis.url?.host == "env")
        #expect("\(try #require(absent.ledger.url))" == "postgresql://u:redacted@db/weir")
        #expect(given.configuration.redis.url?.host == "file")
        #expect(
            mistakes("", environment: ["REDIS_URL": "http://x"]) == [
                "environment variable REDIS_URL: expected a URL such as redis://127.0.0.1:6379/0, "
                    + "rediss://… or unix:///path"
            ]
        )
    }

    @Test func `set overrides one value, deep in lists too`() throws {
        let text = """
            providers:
              - { name: a, dialect: openai, baseURL: "http://h/v1" }
            """
        let configuration = try load(
            text,
            set: [
                "stream.heartbeat=5s", "providers.0.name=b", "stream.compression=[gzip]",
                "cors.origins.0=http://localhost:1", "providers.0.apiKey=k=1",
            ]
        ).configuration

        #expect(configuration.stream.heartbeat == .seconds(5))
        #expect(configuration.providers[0].name == "b")
        #expect(configuration.providers[0].apiKey?.revealed == "k=1")
        #expect(configuration.stream.compression == [.gzip])
        #expect(configuration.cors.origins == ["http://localhost:1"])
    }

    @Test func `an override that cannot be used is refused without its value`() {
        #expect(
            mistakes("", set: ["stream.hartbeat=5s", "drain", "providers.3.name=x", "a..b=1"]) == [
                "--set drain: expected path=value",
                "--set providers.3.name: this path leads nowhere",
                "--set a..b: this path leads nowhere",
                "--set stream.hartbeat: unknown key \"hartbeat\"; did you mean \"heartbeat\"?",
            ]
        )
    }

    @Test func `relations between values are checked`() {
        let text = """
            listen: [0.0.0.0:8081, 127.0.0.1:80, localhost:80]
            access: { open: true }
            accounts:
              - { id: a, quotas: [{kind: tokens, limit: "1.5"}] }
              - { id: a }
            providers:
              - { name: openai, dialect: openai, baseURL: "https://h" }
              - { name: openai, dialect: openai, baseURL: "https://h" }
            models:
              - { name: m, price: openai/gpt4, route: [{ provider: opnai, model: x }] }
              - { name: n, price: free, route: [] }
            stream: { buffer: { bytes: 128KiB }, log: { perStream: 1MiB, total: 64KiB } }
            """

        #expect(
            mistakes(text) == [
                "w.yaml:1:10: 0.0.0.0:8081 and 127.0.0.1:8081 cannot both be listened on",
                "w.yaml:1:10: access.open would let anybody use 0.0.0.0:8081, which is not loopback",
                "w.yaml:1:38: 127.0.0.1:80 and localhost:80 cannot both be listened on",
                "w.yaml:4:45: a number of tokens is whole",
                "w.yaml:5:11: \"a\" stands twice",
                "w.yaml:8:13: \"openai\" stands twice",
                "w.yaml:10:23: the price list has no \"openai/gpt4\"; did you mean \"openai/gpt-4\"?",
                "w.yaml:10:56: there is no provider \"opnai\"; did you mean \"openai\"?",
                "w.yaml:11:36: the list must not be empty",
                "w.yaml:12:28: buffer.bytes (128KiB) exceeds buffer.limit (64KiB)",
                "w.yaml:12:56: log.perStream (1MiB) exceeds log.total (64KiB)",
            ]
        )
    }

    @Test func `a key may come from a file, and then from nowhere else`() throws {
        let provider = "name: a, dialect: openai, baseURL: 'https://h', apiKeyFile: key.txt"
        let configuration = try load(
            "providers: [{\(provider)}]",
            files: ["key.txt": "sk-canary\n"]
        ).configuration

        #expect(configuration.providers[0].apiKey?.revealed == "sk-canary")
        #expect(mistakes("providers: [{\(provider)}]") == ["w.yaml:1:74: the file does not exist"])
        #expect(
            mistakes("providers: [{\(provider), apiKey: x}]", files: ["key.txt": "y"]) == [
                "w.yaml:1:74: apiKey and apiKeyFile exclude each other"
            ]
        )
        #expect(
            mistakes("providers: [{\(provider)}]", files: ["key.txt": "a b"]) == [
                "w.yaml:1:74: the file must hold a secret without spaces"
            ]
        )
    }

    private static let sealingKey = "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE="

    @Test func `sealing keys and passwords are read, from files too`() throws {
        let text = """
            accounts:
              - { id: acme, sealingPassword: "correct horse battery" }
              - { id: other, sealingPasswordFile: password.txt }
            sealing:
              keys:
                - { id: a, account: acme, key: "\(Self.sealingKey)" }
                - { id: b, account: other, keyFile: key.txt }
              rotate: { events: 100, interval: 30s }
              pad: 64
            """
        let configuration = try load(
            text,
            files: ["password.txt": "another long one\n", "key.txt": "\(Self.sealingKey)\n"]
        ).configuration

        #expect(configuration.accounts[0].sealingPassword?.revealed == "correct horse battery")
        #expect(configuration.accounts[1].sealingPassword?.revealed == "another long one")
        #expect(
            configuration.sealing.keys.map(\.key?.revealed) == [Self.sealingKey, Self.sealingKey]
        )
        #expect(configuration.sealing.rotate.events == 100)
        #expect(configuration.sealing.rotate.interval == .seconds(30))
        #expect(configuration.sealing.pad == 64)
    }

    @Test func `mistakes in sealing keys are told by their place, and never their value`() {
        let text = """
            accounts: [{ id: acme, sealingPassword: short }]
            sealing:
              keys:
                - { id: a, account: acne, key: "\(Self.sealingKey)" }
                - { id: a, account: acme, key: canary }
                - { id: b, account: acme }
                - { id: c, account: acme, key: "\(Self.sealingKey)", keyFile: key.txt }
              rotate: { events: 0, interval: 1ms }
              pad: 5000
            """
        let found = mistakes(text, files: ["key.txt": "x"])

        #expect(
            found == [
                "w.yaml:1:41: expected a password of 12 to 256 bytes",
                "w.yaml:4:25: there is no account \"acne\"; did you mean \"acme\"?",
                "w.yaml:5:13: \"a\" stands twice",
                "w.yaml:5:36: expected 32 bytes or more in base64 "
                    + "(openssl rand -base64 32 makes them)",
                "w.yaml:6:7: key or keyFile is needed",
                "w.yaml:7:93: key and keyFile exclude each other",
                "w.yaml:8:21: expected a whole number from 1 to 4294967295, not \"0\"",
                "w.yaml:8:34: expected a duration with its unit (ms, s, m, h, d), from 100ms to 1d, "
                    + "not \"1ms\"",
                "w.yaml:9:8: expected a whole number from 0 to 4096, not \"5000\"",
            ]
        )
        #expect(!"\(found)".contains("canary"))
    }

    /// 32 bytes whose base64 says `canary` in it.
    private static let canaryKey = "canarycanarycanarycanarycanarycanarycanarys="

    @Test func `secrets are shown nowhere`() throws {
        let text = """
            redis: { url: "redis://:canary@h" }
            ledger: { url: "postgresql://u:canary@h/d?x=1" }
            providers: [{ name: a, dialect: openai, baseURL: 'https://h', apiKey: canary }]
            accounts: [{ id: acme, sealingPassword: canary-canary }]
            sealing: { keys: [{ id: k, account: acme, key: "\(Self.canaryKey)" }] }
            """
        let configuration = try load(text).configuration
        var dumped = ""
        dump(configuration, to: &dumped)

        #expect(!"\(configuration)".contains("canary"))
        #expect(!String(reflecting: configuration).contains("canary"))
        #expect(!dumped.contains("canary"))
        #expect(dumped.contains("redacted"))
    }

    @Test func `a bad value that may be a secret is not repeated`() {
        let refused = mistakes(
            """
            redis: { url: "redis//:canary@h" }
            ledger: { url: "postgres//:canary@h" }
            providers: [{ name: a, dialect: openai, baseURL: 'https://u:canary@h', apiKey: "canary 2" }]
            metering: { slots: "${VARIABLE}", interval: "${VARIABLE}" }
            """,
            environment: ["VARIABLE": "canary"]
        )

        #expect(refused.count == 5)
        #expect(!refused.joined().contains("canary"))
    }

    @Test func `what is suspicious but usable is a warning`() throws {
        let loaded = try load(
            "admin: 0.0.0.0:8081\nproviders: [{ name: a, dialect: openai, baseURL: 'http://h' }]"
        )

        #expect(loaded.warnings.map(\.place.description) == ["w.yaml:1:8", "w.yaml:2:12"])
    }
}
