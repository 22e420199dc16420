/// How much of a message the parsers take before they refuse it.
///
/// The defaults are for requests; a client of endless streams raises `bodyByteLimit`.
package struct HTTPLimits: Sendable, Equatable {
    /// The longest head in bytes, start line and final empty line included.
    package var headByteLimit = 32_768
    /// The longest start line in bytes; 8,000 is the least that RFC 9112, section 3, recommends.
    package var startLineByteLimit = 16_384
    /// The most fields in a head, and in a trailer section.
    package var fieldLimit = 256
    /// The longest body in bytes, without its framing.
    package var bodyByteLimit = 4_194_304
    /// The longest line that announces a chunk, in bytes.
    package var chunkLineByteLimit = 2_048
    /// The most bytes of chunk extensions in one body: they carry nothing and cost the reader.
    package var chunkExtensionByteLimit = 16_384
    /// The longest trailer section in bytes.
    package var trailerByteLimit = 8_192

    package init() {}

    /// The defaults with a body that never ends.
    package static var endless: Self {
        var limits = Self()
        limits.bodyByteLimit = .max
        return limits
    }
}
