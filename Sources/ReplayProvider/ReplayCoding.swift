import Compression
import HTTPWire
import Reactor
import StreamBytes

/// What codes the bodies of all answers of a replay provider, whatever thread they are on.
final class ReplayEncoders: Sendable {
    /// Nil until a body is coded.
    private let shared = Guarded<SharedEncoders?>(nil)

    /// Opens a body.
    ///
    /// - Throws: `CompressionError.outOfMemory`.
    func open(_ coding: ContentCoding) throws(CompressionError) -> ReplayCoding {
        let encoder = try shared.withLock { (shared) throws(CompressionError) in
            if shared == nil {
                var fresh = try SharedEncoders(budget: CompressionBudget())
                fresh.budgetLimit = .max
                shared = consume fresh
            }
            guard let encoder = shared?.open(coding) else { throw .outOfMemory }
            return encoder
        }
        return ReplayCoding(encoder, of: self)
    }

    fileprivate func encode(
        _ bytes: [UInt8],
        isLast: Bool,
        by encoder: any BodyEncoder,
        to buffer: inout [UInt8]
    ) throws(CompressionError) {
        try shared.withLock { (shared) throws(CompressionError) in
            try shared?.encode(bytes.span, eventCount: 1, isLast: isLast, by: encoder, to: &buffer)
        }
    }

    fileprivate func close(_ encoder: any BodyEncoder) { shared.withLock { $0?.close(encoder) } }
}

/// One body in a content coding; `close` comes last.
struct ReplayCoding {
    private let encoder: any BodyEncoder
    private let encoders: ReplayEncoders

    fileprivate init(_ encoder: any BodyEncoder, of encoders: ReplayEncoders) {
        self.encoder = encoder
        self.encoders = encoders
    }

    /// Appends the coded form of the next bytes.
    ///
    /// - Returns: false when the body cannot be continued.
    func append(_ bytes: [UInt8], isLast: Bool, to buffer: inout [UInt8]) -> Bool {
        do throws(CompressionError) {
            try encoders.encode(bytes, isLast: isLast, by: encoder, to: &buffer)
            return true
        } catch {
            return false
        }
    }

    func close() { encoders.close(encoder) }
}
