import Compression
import StreamBytes

/// A way of coding streams that is compared with others.
package struct CodingVariant: Sendable {
    package let name: String
    /// Whether it is what zlib does by itself, of which the others' ratios are given as a share.
    package let isYardstick: Bool
    private let level: Int32
    private let triesTerse: Bool
    private let open: @Sendable (inout SharedEncoders) throws(CompressionError) -> any BodyEncoder

    private init(
        _ name: String,
        level: Int32 = 8,
        triesTerse: Bool = true,
        isYardstick: Bool = false,
        open: @escaping @Sendable (inout SharedEncoders) throws(CompressionError) -> any BodyEncoder
    ) {
        self.name = name
        self.level = level
        self.triesTerse = triesTerse
        self.isYardstick = isYardstick
        self.open = open
    }

    /// The table's rows: the one in use, its neighbours, and the conventional ones.
    package static let all: [CodingVariant] =
        [
            parked(", in use"), parked(", zlib alone", triesTerse: false),
            parked(", zlib alone, level 1", level: 1, triesTerse: false),
            parked(historyByteCount: 512), parked(historyByteCount: 1_024),
            parked(historyByteCount: 4_096),
            CodingVariant("zlib's default", isYardstick: true) {
                shared throws(CompressionError) in try ConventionalEncoder(.gzip)
            },
            CodingVariant("brotli 5, window 64 KiB, in use") { shared throws(CompressionError) in
                guard let encoder = BrotliEncoder.open(with: &shared) else { throw .outOfMemory }
                return encoder
            },
        ]

    private static func parked(
        _ note: String = "",
        historyByteCount: Int = ParkedEncoder.firstHistoryLimit,
        level: Int32 = 8,
        triesTerse: Bool = true
    ) -> CodingVariant {
        CodingVariant(
            "parked, \(historyByteCount) B\(note)",
            level: level,
            triesTerse: triesTerse
        ) { shared throws(CompressionError) in
            ParkedEncoder(.gzip, historyLimit: historyByteCount)
        }
    }

    /// Codes `copies` of a stream, whose writes take turns as those of different clients do.
    ///
    /// - Returns: the bytes of one copy, coded.
    package func code(_ stream: CodedStream, copies: Int) throws(CompressionError) -> Int {
        var shared = try shared()
        var encoders: [any BodyEncoder] = []
        for _ in 0..<copies { encoders.append(try open(&shared)) }
        var output: [UInt8] = []
        var byteCount = 0
        for (index, write) in stream.writes.enumerated() {
            let isLast = index == stream.writes.count - 1
            for encoder in encoders {
                output.removeAll(keepingCapacity: true)
                try shared.encode(
                    write.span,
                    eventCount: 1,
                    isLast: isLast,
                    by: encoder,
                    to: &output
                )
                byteCount += output.count
            }
        }
        for encoder in encoders { shared.close(encoder) }
        return byteCount / copies
    }

    /// Opens so many bodies and codes the first writes of a stream with each.
    ///
    /// - Returns: what they hold; memory is to be measured while it is kept.
    package func hold(
        _ count: Int,
        _ stream: CodedStream,
        writes: Int
    ) throws(CompressionError) -> HeldBodies {
        var shared = try shared()
        var encoders: [any BodyEncoder] = []
        var output: [UInt8] = []
        for _ in 0..<count {
            let encoder = try open(&shared)
            for write in stream.writes.prefix(writes) {
                output.removeAll(keepingCapacity: true)
                try shared.encode(
                    write.span,
                    eventCount: 1,
                    isLast: false,
                    by: encoder,
                    to: &output
                )
            }
            encoders.append(encoder)
        }
        return HeldBodies(encoders, shared)
    }

    private func shared() throws(CompressionError) -> SharedEncoders {
        var shared = try SharedEncoders(
            budget: CompressionBudget(),
            level: level,
            triesTerse: triesTerse
        )
        shared.budgetLimit = 1 << 32
        return shared
    }
}

/// Open bodies, for as long as it lives.
package final class HeldBodies {
    private let encoders: [any BodyEncoder]
    private var shared: SharedEncoders

    fileprivate init(_ encoders: [any BodyEncoder], _ shared: consuming SharedEncoders) {
        self.encoders = encoders
        self.shared = shared
    }

    /// Releases them.
    package func close() { for encoder in encoders { shared.close(encoder) } }
}
