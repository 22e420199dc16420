import BenchmarkSuite

// `weir-bench` times every benchmark at its full size and prints tables; `weir-bench NAME…` only
// those whose name holds one of the words; `weir-bench codings [FOLDER]` the table of the content
// codings only, for the recorded streams of a folder.
let words = Array(CommandLine.arguments.dropFirst())
if words.first == "codings" {
    try CodingTables.run(folder: words.dropFirst().first)
} else {
    EventPathTable.run(words)
    if words.isEmpty {
        print()
        try CodingTables.run(folder: nil)
    }
}
