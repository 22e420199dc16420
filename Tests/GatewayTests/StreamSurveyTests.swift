import Gateway
import Reactor
import TestSupport
import Testing

struct StreamSurveyTests {
    @Test func `a long list is looked at a little in each turn, in order and once`() {
        let simulation = Simulation(seed: 1, executorCount: 1, faults: .none)
        defer { simulation.finish() }
        let executor = simulation.executors[0]
        let seen = Guarded<[(element: Int, turn: Int)]>([])
        let sums = Guarded<[Int]>([])

        executor.perform {
            StreamSurvey.start(Array(0..<1_000)[...], on: executor, from: 1) { sum, element in
                sum += element
                seen.withLock { $0.append((element, simulation.stepCount)) }
            } finish: { sum in
                sums.withLock { $0.append(sum) }
            }
        }
        #expect(simulation.run(for: .seconds(1), stepLimit: 1_000))

        let looks = seen.withLock { $0 }
        #expect(looks.map(\.element) == Array(0..<1_000))
        let turns = Dictionary(grouping: looks, by: \.turn)
        #expect(turns.count == 32)
        #expect(turns.values.allSatisfy { $0.count <= StreamSurvey.turnLimit })
        #expect(sums.withLock { $0 } == [499_501])
    }

    @Test func `an empty list is done at once`() {
        let simulation = Simulation(seed: 1, executorCount: 1, faults: .none)
        defer { simulation.finish() }
        let sums = Guarded<[Int]>([])

        StreamSurvey.start([Int]()[...], on: simulation.executors[0], from: 5) { sum, element in
            sum += element
        } finish: { sum in
            sums.withLock { $0.append(sum) }
        }

        #expect(sums.withLock { $0 } == [5])
    }
}
