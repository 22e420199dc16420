/// The memory of one thread's brotli encoders.
///
/// An encoder asks for a few large blocks; those of the last ones that were closed are kept for the
/// next, because fresh ones cost a page fault for every 4 KiB.
@safe
final class BrotliMemory {
    /// The most that one encoder asks for, in bytes: 814,367 were seen with the writes and the
    /// parameters of `BrotliState`.
    static let encoderByteLimit = 851_968

    /// How many encoders' places, and memory, are kept for later ones.
    private static let idleLimit = 2
    /// Smaller blocks come and go with every write; `malloc` is best for them.
    private static let largeByteCount = 16_384
    /// What stands before each block: its size.
    private static let headerByteCount = 16

    private var idle: [Block] = []
    private var idleByteCount = 0
    private var idlePlaces = 0
    /// Bytes that encoders have now, and the most they have had.
    private(set) var liveByteCount = 0
    private(set) var peakByteCount = 0

    /// A block that nobody uses.
    @safe
    private struct Block {
        let size: Int
        let start: UnsafeMutableRawPointer

        func deallocate() { unsafe start.deallocate() }
    }

    deinit { for block in idle { block.deallocate() } }

    // MARK: Places

    /// Takes the place of one more encoder.
    ///
    /// - Returns: false when the budget has none.
    func takePlace(_ budget: CompressionBudget, limit: Int) -> Bool {
        guard idlePlaces == 0 else {
            idlePlaces -= 1
            return true
        }
        return budget.reserve(Self.encoderByteLimit, limit: limit)
    }

    /// An encoder is closed: keeps its place while few are kept and the budget is not exceeded.
    func returnPlace(_ budget: CompressionBudget, limit: Int) {
        idlePlaces += 1
        while idlePlaces > Self.idleLimit || (idlePlaces > 0 && budget.usedBytes > limit) {
            idlePlaces -= 1
            budget.release(Self.encoderByteLimit)
        }
        while idleByteCount > idlePlaces * Self.encoderByteLimit, let last = idle.popLast() {
            idleByteCount -= last.size
            last.deallocate()
        }
    }

    // MARK: Blocks

    func allocate(_ size: Int) -> UnsafeMutableRawPointer? {
        liveByteCount += size
        peakByteCount = max(peakByteCount, liveByteCount)
        if size >= Self.largeByteCount, let index = idle.firstIndex(where: { $0.size == size }) {
            idleByteCount -= size
            return unsafe idle.remove(at: index).start + Self.headerByteCount
        }
        let block = UnsafeMutableRawPointer.allocate(
            byteCount: size + Self.headerByteCount,
            alignment: Self.headerByteCount
        )
        unsafe block.storeBytes(of: size, as: Int.self)
        return unsafe block + Self.headerByteCount
    }

    func release(_ address: UnsafeMutableRawPointer) {
        let block = unsafe address - Self.headerByteCount
        let size = unsafe block.load(as: Int.self)
        liveByteCount -= size
        guard size >= Self.largeByteCount else { return unsafe block.deallocate() }
        unsafe idle.append(Block(size: size, start: block))
        idleByteCount += size
    }
}
