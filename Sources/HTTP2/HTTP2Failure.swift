/// Why a connection cannot go on; GOAWAY is waiting to be sent, unless memory lacks.
package enum HTTP2Failure: Error, Equatable, Sendable {
    /// What the peer sends is no HTTP/2, or breaks its rules.
    case malformed(HTTP2ErrorCode)
    /// The peer sends more of something that carries nothing than anyone needs to.
    case flood(FloodKind)
    case outOfMemory
}

/// What a peer may send too much of.
package enum FloodKind: String, CaseIterable, Sendable {
    case ping
    case settings
    case priority
    case windowUpdate = "window_update"
    /// DATA frames with next to nothing in them.
    case smallData = "small_data"
    /// Streams that are reset before they were answered, or that have to be.
    case reset
    /// CONTINUATION frames of one header section.
    case continuation
    /// Bytes of one header section, decompressed.
    case headerList = "header_list"
}
