import CCrypto

/// Bytes that must not outlive their use: they are overwritten when the last reference goes.
///
/// Proof for `@unchecked Sendable`: the bytes are written in `init` and overwritten in `deinit`,
/// and only read in between. However it is printed or inspected, it reads `redacted`.
@safe
package final class SecretBytes: @unchecked Sendable, CustomStringConvertible,
    CustomDebugStringConvertible, CustomReflectable
{
    package let count: Int
    private let bytes: UnsafeMutableRawBufferPointer

    /// Makes `count` bytes, all zero until `fill` has written them.
    package init<Failure: Error>(
        count: Int,
        fill: (inout MutableSpan<UInt8>) throws(Failure) -> Void
    ) throws(Failure) {
        let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: count, alignment: 16)
        self.count = count
        unsafe self.bytes = bytes
        unsafe bytes.initializeMemory(as: UInt8.self, repeating: 0)
        let typed = unsafe bytes.bindMemory(to: UInt8.self)
        var span = unsafe typed.mutableSpan
        try fill(&span)
    }

    /// Copies `source`.
    package convenience init(_ source: Span<UInt8>) {
        self.init(count: source.count) { bytes in
            for index in source.indices { bytes[index] = source[index] }
        }
    }

    deinit {
        unsafe OPENSSL_cleanse(bytes.baseAddress, bytes.count)
        unsafe bytes.deallocate()
    }

    /// Lends the bytes.
    package func withSpan<Result, Failure: Error>(
        _ body: (Span<UInt8>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        let typed = unsafe UnsafeRawBufferPointer(bytes).bindMemory(to: UInt8.self)
        return try body(unsafe typed.span)
    }

    package var description: String { "redacted" }
    package var debugDescription: String { "redacted" }
    package var customMirror: Mirror { Mirror(self, children: []) }
}

extension SecretBytes: Equatable {
    /// Compares in constant time.
    package static func == (left: SecretBytes, right: SecretBytes) -> Bool {
        left.withSpan { left in
            right.withSpan { right in ConstantTime.areEqual(left, right) }
        }
    }
}

/// Secret bytes inside of their owner, which wipes them when it goes: for those that are held by
/// the ten thousand.
///
/// It cannot be copied, and lends its bytes where they are, so that they are nowhere else.
package struct InlineSecret<let count: Int>: ~Copyable {
    private var bytes = [count of UInt8](repeating: 0)

    /// Makes bytes that are all zero.
    package init() {}

    /// Lends the bytes.
    package mutating func withSpan<Result, Failure: Error>(
        _ body: (Span<UInt8>) throws(Failure) -> Result
    ) throws(Failure) -> Result { try body(bytes.span) }

    /// Lends the bytes to be changed.
    package mutating func withMutableSpan<Failure: Error>(
        _ body: (inout MutableSpan<UInt8>) throws(Failure) -> Void
    ) throws(Failure) {
        var span = bytes.mutableSpan
        try body(&span)
    }

    /// Overwrites the bytes; call in the owner's `deinit`.
    package mutating func wipe() {
        var span = bytes.mutableSpan
        Cryptography.wipe(&span)
    }
}

/// Overwrites a secret that is needed no more, in a way that no compiler leaves out.
package func wipe(_ bytes: inout MutableSpan<UInt8>) {
    unsafe bytes.withUnsafeMutableBytes { unsafe OPENSSL_cleanse($0.baseAddress, $0.count) }
}

/// Overwrites a secret that is needed no more, and empties the array.
package func wipe(_ bytes: inout [UInt8]) {
    var span = bytes.mutableSpan
    wipe(&span)
    bytes.removeAll(keepingCapacity: false)
}
