import Testing

/// Who may import whom.
struct LayerTests {
    /// From the floor up; a target imports only from rows below its own.
    private static let rows: [[String]] = [
        [
            "CLinux", "COpenSSL", "CCrypto", "CSodium", "CZlib", "CDeflate", "CBrotli", "CHiredis",
            "CSQLite", "CPostgres", "CYAML", "CNghttp2",
        ],
        ["StreamBytes", "Telemetry"],
        ["ServerSentEvents", "HTTPWire", "Metering"],
        ["Dialects", "Pricing", "Replay", "BrowserClient", "Alerting"],
        ["Cryptography"],
        ["Compression", "Sealing", "TransportSecurity", "YAMLText", "HTTP2"],
        ["Reactor"],
        ["HTTPServer"],
        ["Providers", "RedisStreams", "MeterLog", "Ledger", "ReplayProvider"],
        ["Gateway", "Billing", "StreamLoad"],
        ["Service", "BenchmarkSuite", "LedgerLoad"],
        ["FuzzTargets"],
        [
            "weir", "weir-probe", "weir-replay", "weir-load", "weir-bench", "weir-ledger-bench",
            "weir-fuzz",
        ],
    ]

    /// What every target may import: the toolchain's own modules.
    private static let toolchain: Set<String> = [
        "Glibc", "Synchronization", "FoundationEssentials", "Dispatch",
    ]

    /// Rows that do no input or output, know no clock and no C, and need no `unsafe`.
    private static let pureRows = [2, 3]

    private static let rowOf = Dictionary(
        uniqueKeysWithValues: rows.enumerated().flatMap { row, names in names.map { ($0, row) } }
    )

    private let tree = SourceTree()

    @Test func `every target has a row`() throws {
        for target in try tree.folders("Sources") + tree.folders("LoadTests")
            + tree.folders("Benchmarks") + tree.folders("Fuzzing")
        {
            #expect(Self.rowOf[target] != nil, "\(target)")
        }
    }

    @Test func `a target imports only from rows below its own`() throws {
        for file in try tree.sources() {
            let row = try #require(Self.rowOf[file.target], "\(file.path)")
            for module in file.imports where !Self.toolchain.contains(module) {
                let imported = try #require(Self.rowOf[module], "\(file.path) imports \(module)")
                #expect(imported < row, "\(file.path) imports \(module)")
            }
        }
    }

    @Test func `each C module has one importer`() throws {
        var importers: [String: Set<String>] = [:]
        for file in try tree.sources() {
            for module in file.imports where Self.rows[0].contains(module) {
                importers[module, default: []].insert(file.target)
            }
        }
        for (module, targets) in importers {
            #expect(targets.count == 1, "\(module) is imported by \(targets.sorted())")
        }
        #expect(importers.count > 4)
    }

    @Test func `nothing imports the whole of Foundation`() throws {
        for file in try tree.sources() {
            #expect(!file.imports.contains("Foundation"), "\(file.path)")
        }
    }

    @Test func `the pure rows stay pure`() throws {
        for file in try tree.sources() where Self.pureRows.contains(Self.rowOf[file.target] ?? -1) {
            let modules = Set(file.imports)
            #expect(
                modules.isDisjoint(with: ["Glibc", "Dispatch", "Synchronization"]),
                "\(file.path)"
            )
            let marked = try file.lines(matching: #"^([^/"`]*[^/"`a-zA-Z.@])?unsafe[ (]"#)
            #expect(marked.isEmpty, "\(file.path): \(marked)")
        }
    }

    @Test func `targets see each other only as packages do`() throws {
        for file in try tree.sources() + tree.files("Tests") where file.target != "SoundnessTests" {
            for (number, line) in file.lines.enumerated() {
                let code = line.drop { $0 == " " }
                #expect(!code.hasPrefix("public "), "\(file.path):\(number + 1)")
                #expect(!code.hasPrefix("@testable "), "\(file.path):\(number + 1)")
                #expect(!code.hasPrefix("@inlinable"), "\(file.path):\(number + 1)")
            }
        }
    }
}
