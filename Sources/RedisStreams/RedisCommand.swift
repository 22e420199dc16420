import CHiredis
import Glibc

/// A command with its arguments, as bytes on their way to a server.
package struct RedisCommand: Sendable, Equatable {
    /// In the form of the Redis protocol.
    package let encoded: [UInt8]

    package init(_ words: [String]) {
        encoded = Self.encode(words)
    }

    package init(_ words: String...) {
        encoded = Self.encode(words)
    }

    private static func encode(_ words: [String]) -> [UInt8] {
        precondition(!words.isEmpty, "a command has a name")
        var bytes: [UInt8] = []
        var starts: [Int] = []
        for word in words {
            starts.append(bytes.count)
            bytes.append(contentsOf: word.utf8)
        }
        let lengths = words.map(\.utf8.count)
        bytes.append(0)
        return unsafe bytes.withUnsafeBytes { (block: UnsafeRawBufferPointer) in
            unsafe format(block, starts: starts, lengths: lengths)
        }
    }

    private static func format(
        _ block: UnsafeRawBufferPointer,
        starts: [Int],
        lengths: [Int]
    ) -> [UInt8] {
        var arguments: [UnsafePointer<CChar>?] = unsafe starts.map { start in
            unsafe block.baseAddress.map { unsafe ($0 + start).assumingMemoryBound(to: CChar.self) }
        }
        var text: UnsafeMutablePointer<CChar>?
        let count = unsafe redisFormatCommandArgv(&text, Int32(starts.count), &arguments, lengths)
        guard count >= 0, let text = unsafe text else {
            preconditionFailure("hiredis formats every command that memory has room for")
        }
        defer { unsafe redisFreeCommand(text) }
        return unsafe [UInt8](UnsafeRawBufferPointer(start: text, count: Int(count)))
    }
}
