import Compression
import HTTPWire
import TestSupport

/// How a body is coded in a test.
enum Recipe: String, CaseIterable, Sendable {
    case parkedGzip, parkedZlib, conventionalGzip, conventionalZlib, brotli

    var coding: ContentCoding {
        switch self {
        case .parkedGzip, .conventionalGzip: .gzip
        case .parkedZlib, .conventionalZlib: .deflate
        case .brotli: .brotli
        }
    }
}

/// The encoders of one thread, with a budget that is not used up unless a test says so.
final class Coders {
    let budget = CompressionBudget()
    var shared: SharedEncoders

    init(budgetLimit: Int = 1 << 30) throws {
        shared = try SharedEncoders(budget: budget)
        shared.budgetLimit = budgetLimit
    }

    func open(_ recipe: Recipe) throws -> any BodyEncoder {
        switch recipe {
        case .parkedGzip: return ParkedEncoder(.gzip)
        case .parkedZlib: return ParkedEncoder(.zlib)
        case .conventionalGzip: return try ConventionalEncoder(.gzip)
        case .conventionalZlib: return try ConventionalEncoder(.zlib)
        case .brotli:
            guard let encoder = BrotliEncoder.open(with: &shared) else {
                throw CompressionError.outOfMemory
            }
            return encoder
        }
    }
}

/// Bytes of several kinds, as bodies hold them and as they should not.
struct ByteSource {
    private static let skeleton = Array(
        #"data: {"id":"chatcmpl-8Xk2","object":"chat.completion.chunk","choices":[{"delta":{"content":""#
            .utf8
    )

    var chance: SeededChance

    mutating func bytes(_ count: Int) -> [UInt8] {
        switch chance.below(4) {
        case 0: (0..<count).map { _ in UInt8(chance.below(256)) }
        case 1: [UInt8](repeating: UInt8(chance.below(256)), count: count)
        case 2: (0..<count).map { _ in UInt8(ascii: "a") + UInt8(chance.below(26)) }
        default: event(count)
        }
    }

    private mutating func event(_ count: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < count {
            bytes += Self.skeleton
            for _ in 0..<chance.below(20) { bytes.append(UInt8(0x20 + chance.below(95))) }
            bytes += Array("\"}}]}\n\n".utf8)
        }
        return Array(bytes.prefix(count))
    }
}

/// A decoder with what it has read.
final class Reader {
    private var decoder: BodyDecoder
    private(set) var bytes: [UInt8] = []

    init(_ coding: ContentCoding, byteLimit: Int = 1 << 24) throws {
        decoder = try BodyDecoder(coding, byteLimit: byteLimit)
    }

    init(rawDeflateWithin byteLimit: Int) throws {
        decoder = try BodyDecoder(rawDeflateWithin: byteLimit)
    }

    var isFinished: Bool { decoder.isFinished }

    func take(_ coded: [UInt8]) throws(CompressionError) {
        try decoder.decode(coded.span, to: &bytes)
    }
}

/// Reads a whole body, byte by byte.
func decoded(_ bytes: [UInt8], _ coding: ContentCoding) throws -> Reader {
    let reader = try Reader(coding)
    for byte in bytes { try reader.take([byte]) }
    return reader
}
