import RedisStreams
import StreamBytes
import TestSupport
import Testing

/// What the reader of replies makes of bytes, whoever sent them.
struct ReplyReaderTests {
    private static let byteLimit = 1 << 16

    /// Feeds pieces and collects what comes, up to the first error.
    private func read(
        _ pieces: [ArraySlice<UInt8>],
        valueLimit: Int = 10_000
    ) throws -> (replies: [RedisValue], error: ReplyError?) {
        var reader = try ReplyReader(byteLimit: Self.byteLimit, valueLimit: valueLimit)
        var replies: [RedisValue] = []
        do throws(ReplyError) {
            for piece in pieces {
                try reader.feed(Array(piece).span)
                while let reply = try reader.next() { replies.append(reply) }
            }
        } catch {
            return (replies, error)
        }
        return (replies, nil)
    }

    @Test(arguments: 1...200 as ClosedRange<UInt64>)
    func `replies are the same however the bytes are cut`(seed: UInt64) throws {
        var random = SeededChance(seed: seed)
        let values = (0..<random.within(1...20)).map { _ in RedisValue.random(4, &random) }

        let result = try read(values.flatMap(\.wireForm).cut(&random))

        #expect(result.error == nil)
        #expect(result.replies == values)
    }

    @Test(arguments: 1...300 as ClosedRange<UInt64>)
    func `bytes of any kind end in replies, in an error or in waiting`(seed: UInt64) throws {
        var random = SeededChance(seed: seed)
        // Half of them made of what replies are made of, which leads further in.
        let alphabet = Array("+-:$*0123456789\r\n\r\n\r\na".utf8)
        let isLikely = random.chance(perMille: 500)
        let bytes = (0..<random.within(1...4_000)).map { _ in
            isLikely ? alphabet[random.below(alphabet.count)] : UInt8(random.below(256))
        }

        let result = try read(bytes.cut(&random))

        #expect(result.error != nil || result.replies.count <= bytes.count / 3)
    }

    @Test(arguments: 1...300 as ClosedRange<UInt64>)
    func `what precedes a damaged place is read as it was sent`(seed: UInt64) throws {
        var random = SeededChance(seed: seed)
        let values = (0..<12).map { _ in RedisValue.random(3, &random) }
        var bytes = values.flatMap(\.wireForm)
        let place = random.below(bytes.count)
        bytes[place] ^= UInt8(1 << random.below(8))
        var end = 0
        let wholeCount = values.prefix { value in
            end += value.wireForm.count
            return end <= place
        }.count

        let result = try read(bytes.cut(&random))

        #expect(Array(result.replies.prefix(wholeCount)) == Array(values.prefix(wholeCount)))
    }

    @Test(arguments: [
        "HTTP/1.1 400 Bad Request\r\n", ":12a\r\n", ":\r\n", "$x\r\n", "$-2\r\n", "*-7\r\n",
        "$3\r\nabcd\r\n", "$3\r\nabc\n\r", "*2\r\n:1\r\n?\r\n", "\r\n+OK\r\n",
        "$99999999999999999999\r\n",
    ])
    func `what is no reply is an error`(text: String) throws {
        let result = try read([Array(text.utf8)[...]])

        #expect(result.replies.isEmpty)
        guard case .malformed = result.error else {
            Issue.record("\(text.debugDescription): \(result)")
            return
        }
    }

    @Test func `a reply with too many values is an error`() throws {
        let text = "*4\r\n:1\r\n:2\r\n:3\r\n:4\r\n"

        #expect(try read([Array(text.utf8)[...]], valueLimit: 5).error == nil)
        #expect(try read([Array(text.utf8)[...]], valueLimit: 4).error == .tooLong)
        // The limit is for each reply, not for all of them.
        let twice = Array((text + text).utf8)
        #expect(try read([twice[...]], valueLimit: 5).replies.count == 2)
    }

    @Test func `a reply that is announced as endless stops at the limit of bytes`() throws {
        let head = Array("$1000000000\r\n".utf8)
        let part = [UInt8](repeating: 0x78, count: 4_096)
        let result = try read([head[...]] + Array(repeating: part[...], count: 100))

        #expect(result.error == .tooLong)
    }
}

extension RedisValue {
    fileprivate static func random(_ depth: Int, _ random: inout SeededChance) -> RedisValue {
        switch random.below(depth > 0 ? 7 : 5) {
        case 0: return .null
        case 1: return .status(String(random.next()))
        case 2: return .error("ERR \(random.next())")
        case 3: return .integer(Int64(bitPattern: random.next()))
        case 4: return .bytes((0..<random.below(300)).map { _ in UInt8(random.below(256)) })
        default:
            return .array((0..<random.below(6)).map { _ in .random(depth - 1, &random) })
        }
    }

    fileprivate var wireForm: [UInt8] {
        switch self {
        case .null: Array("$-1\r\n".utf8)
        case .status(let text): Array("+\(text)\r\n".utf8)
        case .error(let text): Array("-\(text)\r\n".utf8)
        case .integer(let value): Array(":\(value)\r\n".utf8)
        case .bytes(let bytes): Array("$\(bytes.count)\r\n".utf8) + bytes + [13, 10]
        case .array(let values): Array("*\(values.count)\r\n".utf8) + values.flatMap(\.wireForm)
        }
    }
}

extension [UInt8] {
    /// The same bytes in pieces of any length.
    fileprivate func cut(_ random: inout SeededChance) -> [ArraySlice<UInt8>] {
        var pieces: [ArraySlice<UInt8>] = []
        var rest = self[...]
        let longest = random.within(1...500)
        while !rest.isEmpty {
            let piece = rest.prefix(random.within(1...longest))
            pieces.append(piece)
            rest = rest.dropFirst(piece.count)
        }
        return pieces
    }
}
