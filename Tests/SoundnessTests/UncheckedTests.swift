import Testing

/// What the compiler does not check, listed file by file with the reason.
struct UncheckedTests {
    private static let words = [
        "@unchecked Sendable", "nonisolated(unsafe)", "unsafeBitCast", "Task.detached",
        "@preconcurrency",
    ]

    /// How often a word may stand in a file, and why.
    private static let permitted: [(file: String, word: String, count: Int, reason: String)] = [
        (
            "Benchmarks/BenchmarkSuite/ReconnectStorm.swift", "@unchecked Sendable", 3,
            "their state is reached on their reactors' threads alone"
        ),
        (
            "Fuzzing/weir-fuzz/FuzzCommand.swift", "nonisolated(unsafe)", 2,
            "they are set once, before libFuzzer's loop, which has one thread"
        ),
        (
            "LoadTests/StreamLoad/LoadLane.swift", "@unchecked Sendable", 1,
            "its state is reached on its reactor's thread alone"
        ),
        (
            "LoadTests/StreamLoad/LoadSession.swift", "@unchecked Sendable", 1,
            "its state is reached on its reactor's thread alone"
        ),
        (
            "LoadTests/StreamLoad/LoadStream.swift", "@unchecked Sendable", 1,
            "its state is reached on its reactor's thread alone"
        ),
        (
            "Sources/Cryptography/SecretBytes.swift", "@unchecked Sendable", 1,
            "its bytes are written in init, wiped in deinit, and only read in between"
        ),
        (
            "Sources/Gateway/Streams/Generation+Clients.swift", "@preconcurrency", 1,
            "each call checks that it is made on the stream's reactor"
        ),
        (
            "Sources/Gateway/Streams/Generation+Provider.swift", "@preconcurrency", 1,
            "each call checks that it is made on the stream's reactor"
        ),
        (
            "Sources/HTTPServer/ClientConnection.swift", "@preconcurrency", 1,
            "each call checks that it is made on the connection's reactor"
        ),
        (
            "Sources/Ledger/Engines/OverlappedEngine.swift", "@unchecked Sendable", 1,
            "its engine is used by the caller only while its thread has nothing to do"
        ),
        (
            "Sources/MeterLog/Slots/MeterSlots.swift", "@unchecked Sendable", 1,
            "its memory is set once, and a slot's bytes are written by the one who holds it"
        ),
        (
            "Sources/Providers/ProviderLink.swift", "@preconcurrency", 1,
            "each call checks that it is made on the link's reactor"
        ),
        (
            "Sources/Reactor/BlockingThread.swift", "@unchecked Sendable", 1,
            "its queue is reached with a pthread mutex held"
        ),
        (
            "Sources/Reactor/Guarded.swift", "@unchecked Sendable", 1,
            "its value is reached with a pthread mutex held"
        ),
        (
            "Sources/Reactor/Listener.swift", "@unchecked Sendable", 1,
            "its state is reached on its reactor's thread alone"
        ),
        (
            "Sources/Reactor/ReactorSocket.swift", "@unchecked Sendable", 1,
            "its state is reached on its reactor's thread alone"
        ),
        (
            "Sources/Reactor/ReactorThread.swift", "@unchecked Sendable", 1,
            "its state is reached on its own thread alone, apart from the inbox, which has a lock"
        ),
        (
            "Sources/RedisStreams/ReplyReader.swift", "nonisolated(unsafe)", 1,
            "a table of C functions, written once and never changed"
        ),
        (
            "Sources/ReplayProvider/ReplayResponse.swift", "@unchecked Sendable", 1,
            "its state is reached on its reactor's thread alone"
        ),
        (
            "Sources/Sealing/SealingContext.swift", "@unchecked Sendable", 1,
            "its state is reached on its reactor's thread alone"
        ),
        (
            "Sources/Sealing/SealingSession.swift", "@unchecked Sendable", 1,
            "it belongs to one order, which one thread at a time has"
        ),
        (
            "Sources/Service/Commands/Run.swift", "Task.detached", 1,
            "the main thread waits for it and must not be the one to run it"
        ),
        (
            "Sources/Service/Monitor.swift", "@unchecked Sendable", 1,
            "its value is reached with a pthread mutex held"
        ),
        (
            "Sources/TransportSecurity/ContextHandle.swift", "@unchecked Sendable", 1,
            "it does not change once shared, and OpenSSL counts its references with atomics"
        ),
        (
            "Sources/TransportSecurity/SecuritySession.swift", "@unchecked Sendable", 1,
            "it cannot be copied, so that one thread at a time has it"
        ),
        (
            "Sources/TransportSecurity/SecuritySession.swift", "nonisolated(unsafe)", 1,
            "OpenSSL only reads the methods of a socket"
        ),
        (
            "Sources/TransportSecurity/TicketKeys.swift", "@unchecked Sendable", 1,
            "its bytes are written in init alone"
        ),
    ]

    private let tree = SourceTree()

    @Test func `every unchecked promise is listed with its reason`() throws {
        var found: [String: Int] = [:]
        for file in try tree.sources() {
            for line in file.lines where !line.drop(while: { $0 == " " }).hasPrefix("//") {
                for word in Self.words where line.contains(word) {
                    found["\(file.path): \(word)", default: 0] += 1
                }
            }
        }
        let listed = Dictionary(
            uniqueKeysWithValues: Self.permitted.map { ("\($0.file): \($0.word)", $0.count) }
        )

        for (place, count) in found.sorted(by: { $0.key < $1.key }) {
            #expect(count <= listed[place] ?? 0, "\(place) stands \(count) times")
        }
    }

    @Test func `every unchecked promise has a comment right above it`() throws {
        for file in try tree.sources() {
            for (number, line) in file.lines.enumerated() {
                let isPromise = Self.words.contains { line.contains($0) }
                if !isPromise || line.drop(while: { $0 == " " }).hasPrefix("//") { continue }
                let above = file.lines[..<number].suffix(12)
                #expect(
                    above.contains { $0.drop(while: { $0 == " " }).hasPrefix("//") },
                    "\(file.path):\(number + 1)"
                )
            }
        }
    }
}
