import BenchmarkSuite
import Testing

struct BenchmarkTests {
    @Test(arguments: Benchmark.all.map(\.name))
    func `a benchmark does the same work each time`(name: String) throws {
        let benchmark = try #require(Benchmark.all.first { $0.name == name })

        let first = benchmark.run(benchmark.smokeCount)

        #expect(first != 0)
        #expect(benchmark.run(benchmark.smokeCount) == first)
        #expect(benchmark.run(2 * benchmark.smokeCount) != first)
    }
}
