/// Told by the loop what happened on a descriptor.
protocol ReadinessTarget: AnyObject {
    /// - Parameter events: epoll's bits.
    func deliver(_ events: UInt32)

    /// Frees the descriptor; the reactor ends and nobody is told.
    func abandon()
}

/// The place of a target in a reactor's table; a place that was reused has another generation.
struct TargetID {
    let slot: UInt32
    let generation: UInt32

    init(slot: UInt32, generation: UInt32) {
        self.slot = slot
        self.generation = generation
    }

    init(packed: UInt64) {
        slot = UInt32(truncatingIfNeeded: packed >> 32)
        generation = UInt32(truncatingIfNeeded: packed)
    }

    var packed: UInt64 { UInt64(slot) << 32 | UInt64(generation) }
}

/// Who hears of which descriptor, and who may only be freed when the turn is over.
struct TargetTable: ~Copyable {
    private struct Slot {
        var generation: UInt32 = 0
        var target: (any ReadinessTarget)?
    }

    private var slots: [Slot] = []
    private var freeSlots: [UInt32] = []
    private var retired: [AnyObject] = []

    private(set) var count = 0

    subscript(place: TargetID) -> (any ReadinessTarget)? {
        let slot = Int(place.slot)
        guard slot < slots.count, slots[slot].generation == place.generation else { return nil }
        return slots[slot].target
    }

    mutating func insert(_ target: any ReadinessTarget) -> TargetID {
        let slot = freeSlots.popLast() ?? UInt32(slots.count)
        if slot == slots.count { slots.append(Slot()) }
        slots[Int(slot)].target = target
        count += 1
        return TargetID(slot: slot, generation: slots[Int(slot)].generation)
    }

    mutating func remove(_ place: TargetID) {
        guard let target = self[place] else { return }
        retired.append(target)
        slots[Int(place.slot)].target = nil
        slots[Int(place.slot)].generation &+= 1
        freeSlots.append(place.slot)
        count -= 1
    }

    /// Keeps an object until the end of the turn.
    mutating func retire(_ object: AnyObject) { retired.append(object) }

    /// Hands over what may be freed now; freeing it may change the table again.
    mutating func takeRetired() -> [AnyObject] {
        guard !retired.isEmpty else { return [] }
        var freed: [AnyObject] = []
        swap(&freed, &retired)
        return freed
    }

    /// Everyone who is registered.
    var all: [any ReadinessTarget] { slots.compactMap { $0.target } }
}
