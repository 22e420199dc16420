import BenchmarkSuite

// `weir-bench` times every benchmark at its full size and prints tables; `weir-bench NAME…` only
// those whose name holds one of the words; `weir-bench codings [FOLDER]` the table of the content
// codings only, for the recorded streams of a folder; `weir-bench storm` what running streams have
// to bear while 2,000 clients come back by TLS; `weir-bench seals` counts the pairs of key and nonce
// that come twice among ten million sealed events.
let words = Array(CommandLine.arguments.dropFirst())
if words.first == "storm" {
    try await StormTable.run()
} else if words.first == "seals" {
    let seals = SealedRepeats(attachments: 1_000, events: 10_000, eventsPerKey: 100)
    print(
        "\(seals.eventCount) events sealed, \(seals.repeatCount) pairs of key and nonce came twice"
    )
} else if words.first == "codings" {
    try CodingTables.run(folder: words.dropFirst().first)
} else {
    EventPathTable.run(words)
    if words.isEmpty {
        print()
        try CodingTables.run(folder: nil)
    }
}
