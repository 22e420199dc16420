import Foundation
import FuzzTargets
import TestSupport
import Testing

/// The fuzzers' targets, on their seeds: what they promise holds, and they cannot rot.
struct FuzzTargetTests {
    private struct Seed {
        let name: String
        let bytes: [UInt8]
    }

    /// The seeds of each target.
    private func seeds() throws -> [String: [Seed]] {
        let folder = try ScratchFolder()
        let run = try ProgramRun(
            "python3",
            ["\(repositoryRoot())/Fuzzing/seeds.py", folder.path]
        )
        #expect(run.status == 0, "\(run.errors)")
        var seeds: [String: [Seed]] = [:]
        for target in FuzzTarget.all {
            let path = folder.path("\(target.name)/seeds")
            for name in try FileManager.default.contentsOfDirectory(atPath: path).sorted() {
                let data = FileManager.default.contents(atPath: "\(path)/\(name)") ?? Data()
                seeds[target.name, default: []].append(Seed(name: name, bytes: Array(data)))
            }
        }
        return seeds
    }

    @Test func `every target keeps its promises on its seeds, whole and damaged`() throws {
        let seeds = try seeds()
        var generator = SeededChance(seed: 20_26)
        for target in FuzzTarget.all {
            let own = try #require(seeds[target.name])
            #expect(own.count > 1, "\(target.name) has seeds")
            for seed in own.prefix(40) {
                let bytes = Array(seed.bytes.prefix(3_000))
                target.check(bytes)
                var damaged = bytes
                for _ in 0..<4 where !damaged.isEmpty {
                    let place = Int.random(in: 0..<damaged.count, using: &generator)
                    damaged[place] = UInt8.random(in: 0...255, using: &generator)
                }
                target.check(damaged)
            }
        }
    }

    @Test func `targets have names of their own`() {
        let names = FuzzTarget.all.map(\.name)
        #expect(Set(names).count == names.count)
        #expect(FuzzTarget.named("json") != nil)
        #expect(FuzzTarget.named("nothing") == nil)
    }
}
