extension String {
    /// Makes a string of `span`; what is not UTF-8 becomes U+FFFD.
    package init(repairing span: Span<UInt8>) {
        self = unsafe span.withUnsafeBufferPointer { unsafe String(decoding: $0, as: UTF8.self) }
    }
}
