// swift-tools-version: 6.2
import PackageDescription

let strict: [SwiftSetting] = [
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
]

/// A Swift target of `Sources`; `uses` names only rows below its own.
func room(_ name: String, uses: [Target.Dependency] = [], resources: [Resource]? = nil) -> Target {
    .target(name: name, dependencies: uses, resources: resources, swiftSettings: strict)
}

/// A program; `folder` is where its sources stand.
func program(_ name: String, in folder: String, uses: [Target.Dependency]) -> Target {
    .executableTarget(
        name: name,
        dependencies: uses,
        path: "\(folder)/\(name)",
        swiftSettings: strict
    )
}

func tests(
    _ name: String,
    uses: [Target.Dependency],
    exclude: [String] = [],
    resources: [Resource]? = nil
) -> Target {
    .testTarget(
        name: "\(name)Tests",
        dependencies: uses,
        exclude: exclude,
        resources: resources,
        swiftSettings: strict
    )
}

let floor: [Target] = [
    .target(name: "CLinux"),
    .systemLibrary(name: "COpenSSL", pkgConfig: "libssl", providers: [.apt(["libssl-dev"])]),
    .systemLibrary(name: "CCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
    .systemLibrary(name: "CSodium", pkgConfig: "libsodium", providers: [.apt(["libsodium-dev"])]),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .systemLibrary(
        name: "CDeflate",
        pkgConfig: "libdeflate",
        providers: [.apt(["libdeflate-dev"])]
    ),
    .systemLibrary(name: "CBrotli", providers: [.apt(["libbrotli-dev"])]),
    .systemLibrary(name: "CHiredis", providers: [.apt(["libhiredis-dev"])]),
    .systemLibrary(name: "CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]),
    .systemLibrary(name: "CPostgres", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
    .systemLibrary(name: "CYAML", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"])]),
    .systemLibrary(
        name: "CNghttp2",
        pkgConfig: "libnghttp2",
        providers: [.apt(["libnghttp2-dev"])]
    ),
]

let base: [Target] = [
    room("StreamBytes"),
    room("Telemetry"),
]

let pure: [Target] = [
    room("ServerSentEvents", uses: ["StreamBytes"]),
    room("HTTPWire", uses: ["StreamBytes"]),
    room("Metering", uses: ["StreamBytes", "Telemetry"]),
    room("Dialects", uses: ["StreamBytes", "ServerSentEvents", "Metering"]),
    room("Pricing", uses: ["StreamBytes", "Metering"]),
    room("Alerting", uses: ["StreamBytes"]),
    room(
        "Replay",
        uses: ["StreamBytes", "ServerSentEvents", "HTTPWire"],
        resources: [.embedInCode("Bodies")]
    ),
    room("BrowserClient", resources: [.embedInCode("Files")]),
]

let codecs: [Target] = [
    room("Compression", uses: ["CZlib", "CDeflate", "CBrotli", "HTTPWire", "StreamBytes"]),
    room("Cryptography", uses: ["CCrypto", "CSodium", "StreamBytes"]),
    room("Sealing", uses: ["Cryptography", "StreamBytes"]),
    room("TransportSecurity", uses: ["COpenSSL", "StreamBytes", "Telemetry"]),
    room("YAMLText", uses: ["CYAML", "StreamBytes"]),
    room("HTTP2", uses: ["CNghttp2", "HTTPWire", "StreamBytes"]),
]

let runtime: [Target] = [
    room("Reactor", uses: ["CLinux", "StreamBytes", "Telemetry", "TransportSecurity"]),
    room("HTTPServer", uses: ["Reactor", "HTTP2", "HTTPWire", "StreamBytes", "Telemetry"]),
]

let stores: [Target] = [
    room("Providers", uses: ["Reactor", "HTTP2", "HTTPWire", "StreamBytes", "Telemetry"]),
    room("RedisStreams", uses: ["CHiredis", "Reactor", "Metering", "StreamBytes", "Telemetry"]),
    room("MeterLog", uses: ["Reactor", "Metering", "StreamBytes", "Telemetry"]),
    room(
        "Ledger",
        uses: [
            "CSQLite", "CPostgres", "Reactor", "Cryptography", "Metering", "Pricing", "Alerting",
            "StreamBytes",
        ]
    ),
    room(
        "ReplayProvider",
        uses: [
            "Replay", "HTTPServer", "Reactor", "Compression", "HTTPWire", "StreamBytes",
            "Telemetry",
        ]
    ),
]

let domain: [Target] = [
    room(
        "Gateway",
        uses: [
            "Providers", "HTTPServer", "Reactor", "Compression", "Sealing", "Cryptography",
            "BrowserClient", "Dialects", "Metering", "Alerting",
            "ServerSentEvents", "HTTPWire", "StreamBytes", "Telemetry",
        ]
    ),
    room("Billing", uses: ["Reactor", "Metering", "Pricing", "StreamBytes", "Telemetry"]),
]

let service: [Target] = [
    room(
        "Service",
        uses: [
            "Gateway", "Billing", "Providers", "RedisStreams", "MeterLog", "Ledger",
            "ReplayProvider", "HTTPServer", "Reactor", "Sealing", "Cryptography",
            "TransportSecurity", "YAMLText", "Dialects", "Alerting",
            "Pricing", "Metering", "Replay", "HTTPWire", "StreamBytes", "Telemetry",
        ]
    )
]

let programs: [Target] = [
    program("weir", in: "Sources", uses: ["Service"]),
    program(
        "weir-probe",
        in: "Sources",
        uses: [
            "HTTPServer", "Reactor", "HTTPWire", "ServerSentEvents", "Dialects", "StreamBytes",
            "Metering", "Telemetry",
        ]
    ),
    program(
        "weir-replay",
        in: "LoadTests",
        uses: [
            "ReplayProvider", "Replay", "HTTPServer", "Reactor", "TransportSecurity", "HTTPWire",
            "StreamBytes",
        ]
    ),
    program("weir-load", in: "LoadTests", uses: ["StreamLoad", "Reactor", "StreamBytes"]),
]

/// What the load tool does, apart from the program, so that tests reach it.
let loadTools: Target = .target(
    name: "StreamLoad",
    dependencies: [
        "Reactor", "Compression", "Sealing", "Cryptography", "HTTP2", "HTTPWire",
        "ServerSentEvents",
        "StreamBytes",
    ],
    path: "LoadTests/StreamLoad",
    swiftSettings: strict
)

let benchmarks: [Target] = [
    .target(
        name: "BenchmarkSuite",
        dependencies: [
            "Gateway", "MeterLog", "Replay", "Reactor", "TransportSecurity", "Compression",
            "Sealing", "Cryptography", "Dialects", "Metering", "HTTPWire", "StreamBytes",
        ],
        path: "Benchmarks/BenchmarkSuite",
        swiftSettings: strict
    ),
    .target(
        name: "LedgerLoad",
        dependencies: ["Metering", "Pricing", "StreamBytes"],
        path: "Benchmarks/LedgerLoad",
        swiftSettings: strict
    ),
    program(
        "weir-ledger-bench",
        in: "Benchmarks",
        uses: ["LedgerLoad", "Ledger", "Reactor", "Pricing", "Metering", "StreamBytes"]
    ),
    program(
        "weir-bench",
        in: "Benchmarks",
        uses: ["BenchmarkSuite", "Compression", "Replay", "TransportSecurity", "StreamBytes"]
    ),
]

/// What must hold for any bytes from outside.
///
/// The fuzzer itself needs libFuzzer, which only `Fuzzing/fuzz` links.
let fuzzing: [Target] =
    [
        .target(
            name: "FuzzTargets",
            dependencies: [
                "Service", "Gateway", "RedisStreams", "Sealing", "Compression", "Cryptography",
                "HTTP2", "YAMLText", "Dialects", "Metering", "ServerSentEvents", "HTTPWire",
                "StreamBytes",
            ],
            path: "Fuzzing/FuzzTargets",
            swiftSettings: strict
        )
    ]
    + (Context.environment["WEIR_FUZZ"] == nil
        ? [] : [program("weir-fuzz", in: "Fuzzing", uses: ["FuzzTargets"])])

let testSupport: Target = .target(
    name: "TestSupport",
    dependencies: [
        "Reactor", "StreamBytes", "Metering", "Pricing", "HTTPWire", "ServerSentEvents",
        "Telemetry",
    ],
    path: "Tests/TestSupport",
    swiftSettings: strict
)

let suites: [Target] = [
    tests("StreamBytes", uses: ["StreamBytes"]),
    tests("Telemetry", uses: ["Telemetry", "TestSupport"]),
    tests("ServerSentEvents", uses: ["ServerSentEvents", "StreamBytes"]),
    tests("HTTPWire", uses: ["HTTPWire", "StreamBytes", "TestSupport"]),
    tests("Metering", uses: ["Metering", "StreamBytes", "TestSupport"]),
    tests("Dialects", uses: ["Dialects", "ServerSentEvents", "StreamBytes", "Metering"]),
    tests("Pricing", uses: ["Pricing", "Metering", "StreamBytes", "TestSupport"]),
    tests("Alerting", uses: ["Alerting", "StreamBytes", "TestSupport"]),
    tests("Replay", uses: ["Replay", "StreamBytes", "HTTPWire"]),
    tests(
        "Compression",
        uses: ["Compression", "Replay", "HTTPWire", "StreamBytes", "TestSupport"]
    ),
    tests("Cryptography", uses: ["Cryptography", "StreamBytes", "TestSupport"]),
    tests("Sealing", uses: ["Sealing", "Cryptography", "StreamBytes", "TestSupport"]),
    // A client that misbehaves needs more of OpenSSL than Weir's own do.
    tests(
        "TransportSecurity",
        uses: ["TransportSecurity", "COpenSSL", "StreamBytes", "TestSupport"]
    ),
    tests("YAMLText", uses: ["YAMLText", "StreamBytes"]),
    tests("HTTP2", uses: ["HTTP2", "HTTPWire", "StreamBytes"]),
    tests(
        "Reactor",
        uses: ["Reactor", "StreamBytes", "TransportSecurity", "Telemetry", "TestSupport"]
    ),
    tests(
        "HTTPServer",
        uses: ["HTTPServer", "Reactor", "HTTP2", "HTTPWire", "StreamBytes", "TestSupport"]
    ),
    tests(
        "Providers",
        uses: [
            "Providers", "ReplayProvider", "Replay", "HTTPServer", "Reactor", "HTTPWire",
            "StreamBytes", "TestSupport",
        ]
    ),
    tests(
        "RedisStreams",
        uses: ["RedisStreams", "Reactor", "Metering", "StreamBytes", "TestSupport"]
    ),
    tests(
        "MeterLog",
        uses: ["MeterLog", "Metering", "Reactor", "StreamBytes", "Telemetry", "TestSupport"]
    ),
    tests(
        "Ledger",
        uses: [
            "Ledger", "LedgerLoad", "Pricing", "Alerting", "Metering", "Reactor", "StreamBytes",
            "TestSupport",
        ]
    ),
    tests(
        "ReplayProvider",
        uses: [
            "ReplayProvider", "Replay", "HTTPServer", "Reactor", "Compression", "HTTPWire",
            "StreamBytes", "TestSupport",
        ]
    ),
    tests(
        "StreamLoad",
        uses: [
            "StreamLoad", "ReplayProvider", "Replay", "HTTPServer", "Reactor", "Compression",
            "HTTPWire", "StreamBytes", "TestSupport",
        ]
    ),
    tests(
        "Billing",
        uses: [
            "Billing", "Ledger", "Pricing", "Metering", "Reactor", "StreamBytes", "Telemetry",
            "TestSupport",
        ]
    ),
    tests(
        "Gateway",
        uses: [
            "Gateway", "Providers", "HTTPServer", "Reactor", "Sealing", "Cryptography", "Dialects",
            "Metering", "ServerSentEvents", "HTTPWire", "StreamBytes", "Telemetry", "TestSupport",
        ]
    ),
    tests(
        "Service",
        uses: [
            "Service", "Gateway", "Ledger", "Pricing", "Alerting", "YAMLText", "Cryptography",
            "Telemetry",
            "Reactor",
            "StreamBytes", "TestSupport",
        ]
    ),
    tests(
        "BenchmarkSuite",
        uses: [
            "BenchmarkSuite", "Replay", "TransportSecurity", "Compression", "StreamBytes",
            "TestSupport",
        ]
    ),
    tests("FuzzTargets", uses: ["FuzzTargets", "TestSupport"]),
    tests("Soundness", uses: ["TestSupport"]),
    tests(
        "Simulation",
        uses: [
            "Gateway", "Billing", "Providers", "HTTPServer", "Reactor", "Compression", "Sealing",
            "Cryptography", "Dialects", "Metering", "Pricing", "Replay", "ServerSentEvents",
            "HTTPWire", "StreamBytes", "Telemetry", "TestSupport",
        ]
    ),
    // What other people's programs run: Python scripts and pages.
    tests("EndToEnd", uses: ["Replay", "Cryptography", "TestSupport"], exclude: ["Clients"]),
]

let package = Package(
    name: "weir",
    products: [
        .executable(name: "weir", targets: ["weir"]),
        .executable(name: "weir-probe", targets: ["weir-probe"]),
        .executable(name: "weir-replay", targets: ["weir-replay"]),
        .executable(name: "weir-load", targets: ["weir-load"]),
    ],
    targets: floor + base + pure + codecs + runtime + stores + domain + service + programs
        + [loadTools, testSupport] + benchmarks + fuzzing + suites,
    swiftLanguageModes: [.v6]
)
