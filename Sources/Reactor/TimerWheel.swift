import StreamBytes

/// A hashed wheel of one-shot timers with ticks of 10 ms.
///
/// It is told the time and answers what is due; its owner fires. Two arrays hold everything: the
/// heads of the wheel's lists, and one node per timer. A deadline further away than one turn of the
/// wheel stays in its list and is passed over until its tick comes.
package struct TimerWheel: ~Copyable {
    /// The length of a tick, in nanoseconds.
    package static let tickNanoseconds: Int64 = 10_000_000

    private static let spokeCount = 4_096
    private static let none: Int32 = -1

    private struct Node {
        var previous = TimerWheel.none
        var next = TimerWheel.none
        var generation: UInt32 = 0
        var state = State.free
        var dueTick: Int64 = 0
    }

    private enum State {
        case free
        case idle
        case armed
        /// Collected by `advance`; `confirm` has not been asked yet.
        case due
    }

    private var heads = [Int32](repeating: TimerWheel.none, count: TimerWheel.spokeCount)
    /// One bit per list of `heads` that is not empty.
    private var occupied = [UInt64](repeating: 0, count: TimerWheel.spokeCount / 64)
    private var nodes: [Node] = []
    private var freeSlots: [Int32] = []
    /// Everything due at this tick or before it was collected.
    private var currentTick: Int64
    /// No armed timer is due before this tick; nil: to be found again.
    private var earliestTick: Int64?

    /// The number of timers that were made and not released.
    package private(set) var count = 0

    /// The number of timers that are armed.
    package private(set) var armedCount = 0

    package init(startingAt now: MonotonicTime) { currentTick = Self.tick(before: now) }

    /// Makes a timer that is not armed.
    package mutating func make() -> TimerID {
        let slot = freeSlots.popLast() ?? Int32(nodes.count)
        if slot == nodes.count { nodes.append(Node()) }
        nodes[Int(slot)].state = .idle
        count += 1
        return TimerID(slot: slot, generation: nodes[Int(slot)].generation)
    }

    /// Arms the timer, or moves it; nil disarms.
    ///
    /// A timer that was released is ignored.
    package mutating func set(_ timer: TimerID, at deadline: MonotonicTime?) {
        guard isAlive(timer) else { return }
        disarm(timer.slot)
        guard let deadline else { return }
        arm(timer.slot, at: max(Self.tick(after: deadline), currentTick + 1))
    }

    /// Gives the timer up; its id means nothing any more.
    package mutating func release(_ timer: TimerID) {
        guard isAlive(timer) else { return }
        disarm(timer.slot)
        nodes[Int(timer.slot)].state = .free
        nodes[Int(timer.slot)].generation &+= 1
        freeSlots.append(timer.slot)
        count -= 1
    }

    /// Appends the timers that are due at `now` to `due`, earliest first.
    ///
    /// The owner asks `confirm` before it fires each, because one handler may disarm another timer.
    package mutating func advance(to now: MonotonicTime, into due: inout [TimerID]) {
        let target = Self.tick(before: now)
        guard target > currentTick else { return }
        defer { currentTick = target }
        guard armedCount > 0, (earliestTick ?? currentTick) <= target else { return }
        let first = due.count
        let spokes = min(target - currentTick, Int64(Self.spokeCount))
        for offset in 1...spokes { collect(Self.spoke(of: currentTick + offset), target, &due) }
        earliestTick = nil
        guard spokes == Self.spokeCount else { return }
        // A jump over the whole wheel met the lists out of order.
        let ticks = nodes
        due[first...].sort {
            (ticks[Int($0.slot)].dueTick, $0.slot) < (ticks[Int($1.slot)].dueTick, $1.slot)
        }
    }

    /// Returns whether a timer that `advance` collected is still to be fired, once.
    package mutating func confirm(_ timer: TimerID) -> Bool {
        guard isAlive(timer), nodes[Int(timer.slot)].state == .due else { return false }
        nodes[Int(timer.slot)].state = .idle
        return true
    }

    /// Returns when `advance` has something to collect next; nil: never.
    package mutating func nextDeadline() -> MonotonicTime? {
        guard armedCount > 0 else { return nil }
        let tick = earliestTick ?? findEarliestTick()
        earliestTick = tick
        return MonotonicTime(nanoseconds: tick * Self.tickNanoseconds)
    }

    /// Returns whether the id belongs to a timer that was not released.
    package func isAlive(_ timer: TimerID) -> Bool {
        timer.slot >= 0 && timer.slot < nodes.count
            && nodes[Int(timer.slot)].generation == timer.generation
            && nodes[Int(timer.slot)].state != .free
    }

    // MARK: Lists

    private mutating func arm(_ slot: Int32, at tick: Int64) {
        let spoke = Self.spoke(of: tick)
        let head = heads[spoke]
        nodes[Int(slot)].state = .armed
        nodes[Int(slot)].dueTick = tick
        nodes[Int(slot)].previous = Self.none
        nodes[Int(slot)].next = head
        if head != Self.none { nodes[Int(head)].previous = slot }
        heads[spoke] = slot
        occupied[spoke >> 6] |= 1 << UInt64(spoke & 63)
        armedCount += 1
        if armedCount == 1 {
            earliestTick = tick
        } else if let earliest = earliestTick, tick < earliest {
            earliestTick = tick
        }
    }

    private mutating func disarm(_ slot: Int32) {
        let node = nodes[Int(slot)]
        nodes[Int(slot)].state = .idle
        guard node.state == .armed else { return }
        unlink(node)
        // The bound in `earliestTick` may now be too early, which costs one look, not a miss.
        if node.dueTick == earliestTick { earliestTick = nil }
    }

    private mutating func unlink(_ node: Node) {
        armedCount -= 1
        if node.next != Self.none { nodes[Int(node.next)].previous = node.previous }
        guard node.previous == Self.none else {
            nodes[Int(node.previous)].next = node.next
            return
        }
        let spoke = Self.spoke(of: node.dueTick)
        heads[spoke] = node.next
        if node.next == Self.none { occupied[spoke >> 6] &= ~(1 << UInt64(spoke & 63)) }
    }

    private mutating func collect(_ spoke: Int, _ target: Int64, _ due: inout [TimerID]) {
        var slot = heads[spoke]
        while slot != Self.none {
            let node = nodes[Int(slot)]
            if node.dueTick <= target {
                unlink(node)
                nodes[Int(slot)].state = .due
                due.append(TimerID(slot: slot, generation: node.generation))
            }
            slot = node.next
        }
    }

    /// Walks the lists in the order of their next turn; the first timer of the coming turn wins.
    private func findEarliestTick() -> Int64 {
        var earliest = Int64.max
        var offset: Int64 = 1
        while offset <= Self.spokeCount {
            let tick = currentTick + offset
            let spoke = Self.spoke(of: tick)
            let word = occupied[spoke >> 6] >> UInt64(spoke & 63)
            guard word & 1 == 1 else {
                offset += word == 0 ? Int64(64 - spoke & 63) : Int64(word.trailingZeroBitCount)
                continue
            }
            var slot = heads[spoke]
            while slot != Self.none {
                earliest = min(earliest, nodes[Int(slot)].dueTick)
                slot = nodes[Int(slot)].next
            }
            if earliest <= tick { return earliest }
            offset += 1
        }
        return earliest
    }

    // MARK: Ticks

    private static func spoke(of tick: Int64) -> Int { Int(tick & Int64(spokeCount - 1)) }

    private static func tick(before instant: MonotonicTime) -> Int64 {
        let (quotient, remainder) = instant.nanoseconds.quotientAndRemainder(
            dividingBy: tickNanoseconds
        )
        return remainder < 0 ? quotient - 1 : quotient
    }

    /// The first tick that is not before `instant`, or the last one that the clock can express.
    private static func tick(after instant: MonotonicTime) -> Int64 {
        let before = tick(before: instant)
        let after = before * tickNanoseconds < instant.nanoseconds ? before + 1 : before
        return min(after, .max / tickNanoseconds)
    }
}
