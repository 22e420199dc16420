import CHiredis

/// Turns the bytes of a server into replies.
///
/// Owns hiredis' reader: `init` creates it, `deinit` frees it, nothing copies it. After an error it
/// is of no further use.
@safe
package struct ReplyReader: ~Copyable {
    private let reader: UnsafeMutablePointer<redisReader>
    private let byteLimit: Int
    private let valueLimit: Int
    /// What hiredis hands to the functions below.
    private let progress: UnsafeMutablePointer<ReplyProgress>
    /// Bytes fed since the last whole reply.
    private var unfinishedCount = 0

    /// Makes a reader.
    ///
    /// - Parameters:
    ///   - byteLimit: the longest reply, in bytes as sent, rounded up to what one read brings.
    ///   - valueLimit: the most values in a reply, those within arrays included.
    /// - Throws: `ReplyError.outOfMemory`.
    package init(byteLimit: Int, valueLimit: Int) throws(ReplyError) {
        guard let reader = unsafe redisReaderCreateWithFunctions(ReplyNode.functions) else {
            throw .outOfMemory
        }
        unsafe self.reader = reader
        self.byteLimit = byteLimit
        self.valueLimit = valueLimit
        unsafe progress = UnsafeMutablePointer<ReplyProgress>.allocate(capacity: 1)
        unsafe progress.initialize(to: ReplyProgress(valuesLeft: valueLimit))
        unsafe reader.pointee.privdata = UnsafeMutableRawPointer(progress)
    }

    deinit {
        unsafe redisReaderFree(reader)
        unsafe progress.deinitialize(count: 1)
        unsafe progress.deallocate()
    }

    /// Takes what a read brought; call `next` until it returns nil afterwards.
    ///
    /// - Throws: `ReplyError` when a reply is longer than the limit.
    package mutating func feed(_ bytes: Span<UInt8>) throws(ReplyError) {
        unfinishedCount += bytes.count
        guard unfinishedCount <= byteLimit else { throw .tooLong }
        let outcome = unsafe bytes.withUnsafeBytes { bytes in
            unsafe redisReaderFeed(
                reader,
                bytes.baseAddress?.assumingMemoryBound(to: CChar.self),
                bytes.count
            )
        }
        guard outcome == REDIS_OK else { throw .outOfMemory }
    }

    /// Returns the next whole reply; nil when more bytes are needed.
    ///
    /// - Throws: `ReplyError.malformed` for what is no reply, `tooLong` when it has too many values.
    package mutating func next() throws(ReplyError) -> RedisValue? {
        var reply: UnsafeMutableRawPointer?
        guard unsafe redisReaderGetReply(reader, &reply) == REDIS_OK else {
            throw unsafe progress.pointee.failure ?? .malformed(errorText)
        }
        guard let reply = unsafe reply else { return nil }
        let node = unsafe Unmanaged<ReplyNode>.fromOpaque(reply).takeRetainedValue()
        unsafe progress.pointee.valuesLeft = valueLimit
        unfinishedCount = unsafe reader.pointee.len - reader.pointee.pos
        return node.value
    }

    private var errorText: String {
        unsafe withUnsafeBytes(of: reader.pointee.errstr) { bytes in
            unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
    }
}

package enum ReplyError: Error, Equatable, Sendable {
    case malformed(String)
    case tooLong
    case outOfMemory
}

/// What the functions that hiredis calls know of the reply in hand.
private struct ReplyProgress {
    var valuesLeft: Int
    /// Why they gave up.
    var failure: ReplyError?
}

/// A reply while hiredis puts it together; the root is retained by hiredis, the others by their
/// parent.
private final class ReplyNode {
    private enum Content {
        case leaf(RedisValue)
        case array([ReplyNode])
    }

    private var content: Content

    private init(_ content: Content) { self.content = content }

    var value: RedisValue {
        switch content {
        case .leaf(let value): value
        case .array(let nodes): .array(nodes.map(\.value))
        }
    }

    private func append(_ node: ReplyNode) {
        guard case .array(var nodes) = content else { return }
        content = .array([])
        nodes.append(node)
        content = .array(nodes)
    }

    /// Hangs the node into its parent, if it has one; nil ends the parsing.
    private static func place(
        _ content: Content,
        _ task: UnsafePointer<redisReadTask>?
    ) -> UnsafeMutableRawPointer? {
        let progress = unsafe progress(task)
        unsafe progress?.pointee.valuesLeft -= 1
        if let left = unsafe progress?.pointee.valuesLeft, left < 0 {
            unsafe progress?.pointee.failure = .tooLong
            return nil
        }
        let node = ReplyNode(content)
        guard let parent = unsafe task?.pointee.parent?.pointee.obj else {
            return unsafe Unmanaged.passRetained(node).toOpaque()
        }
        unsafe Unmanaged<ReplyNode>.fromOpaque(parent).takeUnretainedValue().append(node)
        return unsafe Unmanaged.passUnretained(node).toOpaque()
    }

    private static func progress(
        _ task: UnsafePointer<redisReadTask>?
    ) -> UnsafeMutablePointer<ReplyProgress>? {
        unsafe task?.pointee.privdata?.assumingMemoryBound(to: ReplyProgress.self)
    }

    /// What hiredis calls while it parses.
    ///
    /// Made once and never changed or freed, because every
    /// reader points to it. Proof for `nonisolated(unsafe)`: hiredis only reads it.
    nonisolated(unsafe) static let functions: UnsafeMutablePointer<redisReplyObjectFunctions> = {
        let functions = UnsafeMutablePointer<redisReplyObjectFunctions>.allocate(capacity: 1)
        unsafe functions.initialize(
            to: redisReplyObjectFunctions(
                createString: { task, text, count in
                    guard unsafe isTerminated(text, count) else {
                        unsafe progress(task)?.pointee.failure =
                            .malformed("a text does not end where it should")
                        return nil
                    }
                    return unsafe place(leaf(task, text, count), task)
                },
                createArray: { task, _ in unsafe place(.array([]), task) },
                createInteger: { task, number in
                    unsafe place(.leaf(.integer(Int64(number))), task)
                },
                createNil: { task in unsafe place(.leaf(.null), task) },
                freeObject: { node in
                    guard let node = unsafe node else { return }
                    unsafe Unmanaged<ReplyNode>.fromOpaque(node).release()
                }
            )
        )
        return unsafe functions
    }()

    /// Whether a text in hiredis' buffer is followed by the end of its line, which hiredis has waited
    /// for and does not look at.
    private static func isTerminated(_ text: UnsafeMutablePointer<CChar>?, _ count: Int) -> Bool {
        guard let text = unsafe text else { return false }
        return unsafe text[count] == 13 && text[count + 1] == 10
    }

    private static func leaf(
        _ task: UnsafePointer<redisReadTask>?,
        _ text: UnsafeMutablePointer<CChar>?,
        _ count: Int
    ) -> Content {
        let bytes = unsafe [UInt8](UnsafeRawBufferPointer(start: text, count: count))
        switch unsafe task?.pointee.type {
        case REDIS_REPLY_STATUS: return .leaf(.status(String(decoding: bytes, as: UTF8.self)))
        case REDIS_REPLY_ERROR: return .leaf(.error(String(decoding: bytes, as: UTF8.self)))
        default: return .leaf(.bytes(bytes))
        }
    }
}
