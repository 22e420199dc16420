import HTTPWire

/// What came on a connection, in order.
package enum HTTP2Event: Sendable, Equatable {
    /// The head of a request, of a response, or of an interim response. Trailers are checked and
    /// dropped.
    indirect case head(HTTP2StreamID, HTTP2Head)
    /// Bytes of a body: a range of the input. They count against the peer's window until they are
    /// consumed.
    case data(HTTP2StreamID, Range<Int>)
    /// The peer will send nothing more on the stream.
    case end(HTTP2StreamID)
    /// The stream is over, both ways; `isReset` tells that the peer wanted it so.
    case closed(HTTP2StreamID, HTTP2ErrorCode, isReset: Bool)
    /// The peer's window has grown: that of a stream, or of the connection (`nil`).
    case windowGrew(HTTP2StreamID?)
    /// The peer's settings have changed.
    case settingsChanged
    /// The peer has answered a PING.
    case pong
    /// The peer takes no stream after `last`, or will soon take none.
    case goAway(last: HTTP2StreamID, HTTP2ErrorCode)
}

/// The number of a stream on its connection.
package typealias HTTP2StreamID = Int32

/// A header section as it came; nghttp2 has checked it against RFC 9113, section 8.
package struct HTTP2Head: Sendable, Equatable {
    package var method: String?
    package var scheme: String?
    package var authority: String?
    package var path: String?
    /// Of a response.
    package var status: Int?
    package var fields = HeaderFields()
    /// Whether fields were left out because the section is larger than is taken.
    package var isTooLarge = false
    /// Whether nothing follows it.
    package var endsStream = false

    package init() {}
}
