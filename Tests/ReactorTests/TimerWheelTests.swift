import Reactor
import StreamBytes
import Testing

struct TimerWheelTests {
    private func at(_ milliseconds: Int64) -> MonotonicTime {
        MonotonicTime(nanoseconds: milliseconds * 1_000_000)
    }

    private func fired(_ wheel: inout TimerWheel, at milliseconds: Int64) -> [TimerID] {
        var due: [TimerID] = []
        wheel.advance(to: at(milliseconds), into: &due)
        return due.filter { wheel.confirm($0) }
    }

    @Test func `a timer fires once, at its deadline or up to a tick later`() {
        var wheel = TimerWheel(startingAt: at(5))
        let timer = wheel.make()
        wheel.set(timer, at: at(1_003))
        #expect(fired(&wheel, at: 1_002) == [])
        #expect(wheel.nextDeadline() == at(1_010))
        #expect(fired(&wheel, at: 1_010) == [timer])
        #expect(fired(&wheel, at: 50_000) == [])
        #expect(wheel.nextDeadline() == nil)
    }

    @Test func `a deadline in the past fires with the next tick`() {
        var wheel = TimerWheel(startingAt: at(1_000))
        let timer = wheel.make()
        wheel.set(timer, at: at(3))
        #expect(wheel.nextDeadline() == at(1_010))
        #expect(fired(&wheel, at: 1_010) == [timer])
    }

    @Test func `deadlines of hours fire at their time and cause no wakeup before it`() {
        var wheel = TimerWheel(startingAt: at(0))
        let timer = wheel.make()
        let hours: Int64 = 3 * 3_600_000
        wheel.set(timer, at: at(hours))
        #expect(wheel.nextDeadline() == at(hours))
        for step in stride(from: Int64(7_000), to: hours, by: 7_000) {
            #expect(fired(&wheel, at: step) == [])
        }
        #expect(wheel.nextDeadline() == at(hours))
        #expect(fired(&wheel, at: hours) == [timer])
    }

    @Test func `a jump over many turns fires everything due, earliest first`() {
        var wheel = TimerWheel(startingAt: at(123))
        let deadlines: [Int64] = [90_000, 30, 41_000, 41_010, 200_000, 10_000]
        let timers = deadlines.map { _ in wheel.make() }
        for (timer, deadline) in zip(timers, deadlines) { wheel.set(timer, at: at(deadline)) }
        #expect(fired(&wheel, at: 100_000) == [1, 5, 2, 3, 0].map { timers[$0] })
        #expect(wheel.nextDeadline() == at(200_000))
    }

    @Test func `moving, disarming and releasing take effect even when already collected`() {
        var wheel = TimerWheel(startingAt: at(0))
        let moved = wheel.make()
        let disarmed = wheel.make()
        let released = wheel.make()
        for timer in [moved, disarmed, released] { wheel.set(timer, at: at(50)) }
        var due: [TimerID] = []
        wheel.advance(to: at(60), into: &due)
        #expect(due.count == 3)
        wheel.set(moved, at: at(500))
        wheel.set(disarmed, at: nil)
        wheel.release(released)
        #expect(due.filter { wheel.confirm($0) } == [])
        #expect(fired(&wheel, at: 500) == [moved])
        #expect(wheel.count == 2)
    }

    @Test func `the id of a released timer does not reach its successor`() {
        var wheel = TimerWheel(startingAt: at(0))
        let old = wheel.make()
        wheel.release(old)
        let new = wheel.make()
        #expect(old.slot == new.slot)
        wheel.set(old, at: at(10))
        wheel.release(old)
        #expect(wheel.nextDeadline() == nil)
        #expect(wheel.count == 1)
    }

    @Test(arguments: [1, 2, 3] as [UInt64])
    func `it agrees with a plain list of deadlines`(seed: UInt64) {
        var random = Seeded(state: seed)
        var wheel = TimerWheel(startingAt: at(0))
        let timers = (0..<200).map { _ in wheel.make() }
        var model: [TimerID: Int64] = [:]
        var now: Int64 = 0
        for _ in 0..<5_000 {
            let timer = timers[Int(random.next() % 200)]
            switch random.next() % 4 {
            case 0:
                wheel.set(timer, at: nil)
                model[timer] = nil
            case 1, 2:
                let reach: Int64 = random.next() % 3 == 0 ? 200_000 : 2_000
                let deadline = now + 10 + Int64(random.next() % UInt64(reach))
                wheel.set(timer, at: at(deadline))
                model[timer] = (deadline + 9) / 10 * 10
            default:
                let earliest = model.values.min()
                #expect(wheel.nextDeadline() == earliest.map { at($0) })
                now += Int64(random.next() % (random.next() % 50 == 0 ? 100_000 : 300))
                let tick = now / 10 * 10
                let expected = Set(model.filter { $0.value <= tick }.keys)
                #expect(Set(fired(&wheel, at: now)) == expected)
                for timer in expected { model[timer] = nil }
            }
        }
    }
}

/// SplitMix64.
struct Seeded: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = (state ^ (state >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}
