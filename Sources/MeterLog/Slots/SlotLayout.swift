import Metering

/// Where things stand in a slot, and in the file of all slots.
///
/// A file is a page of header, then the slots, then as many areas for what does not fit into a slot.
/// In a slot stand two copies of the counters, each with a generation and a checksum, then what
/// names the stretch, and behind that, once it is over, what became of it.
enum SlotLayout {
    static let headerByteCount = 4_096
    /// A multiple of 128, so that a copy of the counters lies in two neighbouring cache lines.
    static let slotByteCount = 640
    static let overflowByteCount = 1_216

    static let copyOffsets = (0, 128)
    /// The copy's generation, its checksum, the counters.
    static let copyByteCount = 16 + counterByteCount
    static let counterByteCount = 96
    static let wordCount = counterByteCount / 8

    static let stateOffset = 112
    static let openingLengthOffset = 116
    static let endingLengthOffset = 118
    static let openingChecksumOffset = 120
    static let endingChecksumOffset = 124
    /// Bytes about to be in flight: a word that is stored at once, behind the second copy.
    static let inFlightOffset = 240
    static let textOffset = 256
    /// What names a stretch and what became of it, together.
    static let textByteLimit = slotByteCount - textOffset + overflowByteCount
    /// Kept free for what becomes of it: all numbers at their largest, and a few names.
    static let endingByteLimit = 520

    static func fileByteCount(slotCount: Int) -> Int {
        headerByteCount + slotCount * (slotByteCount + overflowByteCount)
    }

    static func slotOffset(_ number: Int) -> Int { headerByteCount + number * slotByteCount }

    static func overflowOffset(_ number: Int, slotCount: Int) -> Int {
        headerByteCount + slotCount * slotByteCount + number * overflowByteCount
    }
}

/// What a slot is used for; the values are unlike anything that chance leaves.
enum SlotState: UInt32 {
    case free = 0
    case running = 0x5245_4C4C
    case ended = 0x454E_4445
}

/// Counters as they stand in a slot: twelve words.
typealias CounterWords = [12 of UInt64]

/// A checksum of one copy of the counters; a changed bit always shows.
///
/// Four chains of steps that can each be undone, side by side.
struct CopyChecksum {
    let value: UInt64

    @inline(__always)
    init(of words: CounterWords, generation: UInt64) {
        var first = generation ^ 0x9E37_79B9_7F4A_7C15
        var second: UInt64 = 0xC2B2_AE3D_27D4_EB4F
        var third: UInt64 = 0x1656_67B1_9E37_79F9
        var fourth: UInt64 = 0x27D4_EB2F_1656_67C5
        var place = 0
        while place < 12 {
            first = Self.step(first ^ words[place])
            second = Self.step(second ^ words[place + 1])
            third = Self.step(third ^ words[place + 2])
            fourth = Self.step(fourth ^ words[place + 3])
            place += 4
        }
        value =
            first ^ Self.turn(second, by: 17) ^ Self.turn(third, by: 31)
            ^ Self.turn(fourth, by: 47)
    }

    @inline(__always)
    private static func step(_ value: UInt64) -> UInt64 {
        turn(value &* 0x9FB2_1C65_1E98_DF25, by: 29)
    }

    @inline(__always)
    private static func turn(_ value: UInt64, by bits: UInt64) -> UInt64 {
        value << bits | value >> (64 - bits)
    }
}
