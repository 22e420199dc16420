import Metering
import Reactor
import Synchronization

/// Shared memory in which running stretches keep their counters, and finished ones their records
/// until the spool has them.
///
/// Saving counters is a few stores: no lock, no system call, no allocation. What was stored outlives
/// the process, however it ends, but not the machine. Fences keep the stores in their order, so that a
/// state or a number of bytes in flight never stands there before what it speaks of.
///
/// Proof for `@unchecked Sendable`: `memory` and `slotCount` are set once, by `open`, before any slot
/// is given out. A slot's bytes are written by the one who holds it, until `finish` hands it to the
/// queue, whose lock orders it before everything that is done with it later.
@safe
package final class MeterSlots: UsageSink, FinishedRecords, @unchecked Sendable {
    private var memory: SlotMemory?
    private var slotCount = 0
    private var path = ""
    private let shared = Guarded(Shared())

    private struct Shared {
        var isOpen = false
        var free: [UInt32] = []
        /// Stretches that are over, in order; those before `first` are gone.
        var ended: [UInt32] = []
        var first = 0
        var unreadableCount = 0
        var problem: String?
        var whenFinished: @Sendable () -> Void = {}
        var refusal: @Sendable () -> String? = { nil }
    }

    package init() {}

    /// Connects the spool that takes the records.
    package func connect(to spool: Spool) {
        shared.withLock { shared in
            shared.whenFinished = { [weak spool] in spool?.recordsAreWaiting() }
            shared.refusal = { [weak spool] in spool?.refusal }
        }
    }

    /// Makes the file of slots anew; what stands there goes.
    ///
    /// Call once. Blocks.
    ///
    /// - Throws: `StorageError` when the memory cannot be had.
    package func open(_ settings: SlotSettings) throws(StorageError) {
        let memory = try SlotMemory(creating: settings.path, byteCount: settings.byteCount)
        let header = SlotHeader(gateway: settings.gateway, slotCount: settings.count)
        memory.store(header.bytes[...], at: 0)
        self.memory = consume memory
        slotCount = settings.count
        path = settings.path
        shared.withLock { shared in
            precondition(!shared.isOpen, "slots are opened once")
            shared.isOpen = true
            shared.free = (0..<UInt32(settings.count)).reversed()
        }
    }

    /// Gives the memory back when nothing stands in it; else it stays for the next start.
    ///
    /// Call once, when no stream is left and the spool has stored what it could.
    ///
    /// - Throws: `StorageError`.
    package func close() throws(StorageError) {
        let isEmpty = shared.withLock { shared in
            defer { shared.isOpen = false }
            return shared.isOpen && shared.free.count == slotCount
        }
        if isEmpty { try SlotFile.remove(path) }
    }

    /// Why the slots cannot be opened; nil: nothing is known against it.
    func noteProblem(_ problem: String?) { shared.withLock { $0.problem = problem } }

    /// How many slots are in use; call from any thread.
    package var use: SlotUse {
        shared.withLock { shared in
            let count = shared.isOpen ? slotCount : 0
            return SlotUse(
                used: count - shared.free.count,
                count: count,
                unreadable: shared.unreadableCount
            )
        }
    }
}

// MARK: - For streams

extension MeterSlots {
    package var refusal: String? {
        let (spoolRefusal, problem, isOpen, isFull) = shared.withLock { shared in
            (shared.refusal, shared.problem, shared.isOpen, shared.free.isEmpty)
        }
        if let reason = spoolRefusal() { return reason }
        if let problem { return "usage cannot be metered: \(problem)" }
        if !isOpen { return "the usage of the last run is being put in order" }
        return isFull ? "all meter slots are taken" : nil
    }

    package func begin(_ opening: UsageRecord) -> MeterSlot? {
        var text: [UInt8] = []
        RecordForm.append(opening, to: &text)
        guard text.count <= SlotLayout.textByteLimit - SlotLayout.endingByteLimit,
            let number = shared.withLock({ $0.free.popLast() })
        else { return nil }
        let slot = SlotLayout.slotOffset(Int(number))
        for copy in [SlotLayout.copyOffsets.0, SlotLayout.copyOffsets.1] {
            memory?.store(
                [UInt8](repeating: 0, count: SlotLayout.copyByteCount)[...],
                at: slot + copy
            )
        }
        memory?.store(UInt64(0), at: slot + SlotLayout.inFlightOffset)
        write(text, at: 0, of: Int(number))
        let checksum = CRC32C.checksum(text, text.indices, seed: UInt32(text.count))
        memory?.store(UInt16(text.count), at: slot + SlotLayout.openingLengthOffset)
        memory?.store(checksum, at: slot + SlotLayout.openingChecksumOffset)
        atomicMemoryFence(ordering: .releasing)
        memory?.store(SlotState.running.rawValue, at: slot + SlotLayout.stateOffset)
        return MeterSlot(number: number)
    }

    package func save(_ counters: StretchCounters, in slot: inout MeterSlot) {
        slot.generation += 1
        let (first, second) = SlotLayout.copyOffsets
        let copy = slot.generation & 1 == 0 ? first : second
        let offset = SlotLayout.slotOffset(Int(slot.number)) + copy
        let words = counters.words
        let checksum = CopyChecksum(of: words, generation: slot.generation)
        memory?.store(words, at: offset + 16)
        memory?.store(checksum.value, at: offset + 8)
        memory?.store(slot.generation, at: offset)
        atomicMemoryFence(ordering: .releasing)
        note(inFlightBytes: UInt64(counters.inFlightBytes), in: slot)
    }

    package func note(inFlightBytes: UInt64, in slot: MeterSlot) {
        let offset = SlotLayout.slotOffset(Int(slot.number)) + SlotLayout.inFlightOffset
        memory?.store(inFlightBytes, at: offset)
    }

    package func finish(_ record: UsageRecord, in slot: consuming MeterSlot) {
        let number = Int(slot.number)
        let offset = SlotLayout.slotOffset(number)
        let reading = reading(number)
        var text: [UInt8] = []
        RecordForm.append(
            record,
            differingFrom: reading.opening ?? UsageRecord(),
            to: &text
        )
        precondition(text.count <= SlotLayout.endingByteLimit, "a record's end fits into its slot")
        write(text, at: reading.openingByteCount, of: number)
        let checksum = CRC32C.checksum(text, text.indices, seed: UInt32(text.count))
        memory?.store(UInt16(text.count), at: offset + SlotLayout.endingLengthOffset)
        memory?.store(checksum, at: offset + SlotLayout.endingChecksumOffset)
        atomicMemoryFence(ordering: .releasing)
        memory?.store(SlotState.ended.rawValue, at: offset + SlotLayout.stateOffset)
        let action = shared.withLock { shared in
            shared.ended.append(UInt32(number))
            return shared.whenFinished
        }
        action()
    }

    /// Writes what names a stretch or ends it; what does not fit into the slot goes to its overflow.
    private func write(_ text: [UInt8], at start: Int, of number: Int) {
        let room = max(0, SlotLayout.slotByteCount - SlotLayout.textOffset - start)
        let inside = text.prefix(room)
        let offset = SlotLayout.slotOffset(number) + SlotLayout.textOffset + start
        memory?.store(inside, at: offset)
        let outside = text.dropFirst(inside.count)
        let overflow = SlotLayout.overflowOffset(number, slotCount: slotCount)
        let before = max(0, start + SlotLayout.textOffset - SlotLayout.slotByteCount)
        memory?.store(outside, at: overflow + before)
    }
}

// MARK: - For the spool

extension MeterSlots {
    package func oldest(limit: Int) -> [UsageRecord] {
        var records: [UsageRecord] = []
        for number in shared.withLock({ Array($0.ended[$0.first...].prefix(limit)) }) {
            if let record = reading(Int(number)).record {
                records.append(record)
            } else if records.isEmpty {
                // Somebody else wrote to the memory: there is no record to wait for.
                drop(first: 1)
                shared.withLock { $0.unreadableCount += 1 }
            } else {
                break
            }
        }
        return records
    }

    package func drop(first count: Int) {
        let numbers = shared.withLock { shared in
            let end = shared.first + count
            defer {
                shared.first = end
                if shared.first > 1_024, shared.first > shared.ended.count / 2 {
                    shared.ended.removeFirst(shared.first)
                    shared.first = 0
                }
            }
            return Array(shared.ended[shared.first..<end])
        }
        for number in numbers {
            let offset = SlotLayout.slotOffset(Int(number)) + SlotLayout.stateOffset
            memory?.store(SlotState.free.rawValue, at: offset)
        }
        shared.withLock { $0.free += numbers }
    }

    private func reading(_ number: Int) -> SlotReading {
        let slot = SlotLayout.slotOffset(number)
        let overflow = SlotLayout.overflowOffset(number, slotCount: slotCount)
        return SlotReading(
            (memory?.bytes(slot..<(slot + SlotLayout.slotByteCount)) ?? [])
                + (memory?.bytes(overflow..<(overflow + SlotLayout.overflowByteCount)) ?? [])
        )
    }
}

/// How the slots of a gateway are used.
package struct SlotUse: Equatable, Sendable {
    package let used: Int
    package let count: Int
    /// Finished records that could not be read back.
    package let unreadable: Int
}
