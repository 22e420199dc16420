/// Why a stream or a connection ends, as its last frame says.
///
/// Source: RFC 9113, section 7.
package struct HTTP2ErrorCode: RawRepresentable, Hashable, Sendable {
    package let rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue }

    package static let noError = Self(rawValue: 0x0)
    package static let protocolError = Self(rawValue: 0x1)
    package static let internalError = Self(rawValue: 0x2)
    package static let flowControlError = Self(rawValue: 0x3)
    package static let settingsTimeout = Self(rawValue: 0x4)
    package static let streamClosed = Self(rawValue: 0x5)
    package static let frameSizeError = Self(rawValue: 0x6)
    package static let refusedStream = Self(rawValue: 0x7)
    package static let cancel = Self(rawValue: 0x8)
    package static let compressionError = Self(rawValue: 0x9)
    package static let connectError = Self(rawValue: 0xA)
    package static let enhanceYourCalm = Self(rawValue: 0xB)
    package static let inadequateSecurity = Self(rawValue: 0xC)
    package static let http11Required = Self(rawValue: 0xD)

    /// The name in the registry, in lower case; `unknown` for other codes.
    package var name: String {
        Self.names.indices.contains(Int(rawValue)) ? Self.names[Int(rawValue)] : "unknown"
    }

    private static let names = [
        "no_error", "protocol_error", "internal_error", "flow_control_error", "settings_timeout",
        "stream_closed", "frame_size_error", "refused_stream", "cancel", "compression_error",
        "connect_error", "enhance_your_calm", "inadequate_security", "http_1_1_required",
    ]
}
