import BenchmarkSuite
import Glibc

/// Prints what each piece of the event path costs.
enum EventPathTable {
    /// - Parameter words: only benchmarks whose name holds one of them; none: all.
    static func run(_ words: [String]) {
        print("| benchmark | CPU ns, best of 5 | per |")
        print("| --- | ---: | --- |")
        for benchmark in Benchmark.all
        where words.isEmpty || words.contains(where: { benchmark.name.contains($0) }) {
            var best = Int64.max
            for _ in 0..<5 {
                let start = processNanoseconds()
                let checksum = benchmark.run(benchmark.fullCount)
                let spent = processNanoseconds() - start
                precondition(checksum != 0, "a benchmark does something")
                best = min(best, spent)
            }
            print(
                "| \(benchmark.name) | \(best / Int64(benchmark.fullCount)) | \(benchmark.unit) |"
            )
        }
    }
}

func processNanoseconds() -> Int64 {
    var time = timespec()
    unsafe clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
}
