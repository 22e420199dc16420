import CNghttp2
import HTTPWire
import StreamBytes

extension HTTP2Session {
    /// The bytes in front of a frame's payload.
    package static let frameHeaderByteCount = 9
    /// The longest payload of a DATA frame that is made here.
    package static let dataByteLimit = 16_384

    // MARK: Heads

    /// Begins the response on a stream of a server.
    ///
    /// - Parameters:
    ///   - stream: has a request.
    ///   - fields: the head's, `:status` first; names in lower case.
    ///   - endsStream: whether no body follows; one that does is sent by `frame`.
    package mutating func respond(
        on stream: HTTP2StreamID,
        _ fields: [(String, String)],
        endsStream: Bool
    ) {
        unsafe Self.withEntries(fields) { entries in
            var provider = unsafe nghttp2_data_provider()
            unsafe provider.read_callback = SessionCallbacks.readOffer
            // The stream may be closed already: then nobody waits for an answer.
            if endsStream {
                unsafe nghttp2_submit_response(
                    pointer,
                    stream,
                    entries.baseAddress,
                    entries.count,
                    nil
                )
            } else {
                unsafe nghttp2_submit_response(
                    pointer,
                    stream,
                    entries.baseAddress,
                    entries.count,
                    &provider
                )
            }
        }
    }

    /// Sends an interim response.
    package mutating func inform(on stream: HTTP2StreamID, status: Int) {
        unsafe Self.withEntries([(":status", "\(status)")]) { entries in
            _ = unsafe nghttp2_submit_headers(
                pointer,
                0,
                stream,
                nil,
                entries.baseAddress,
                entries.count,
                nil
            )
        }
    }

    /// Sends a request.
    ///
    /// - Parameters:
    ///   - fields: the head's, pseudo-header fields first; names in lower case.
    ///   - body: sent as fast as the server's window allows.
    /// - Returns: the stream; nil if the connection takes no more.
    package mutating func request(
        _ fields: [(String, String)],
        body: [UInt8]
    ) -> HTTP2StreamID? {
        let stream = unsafe Self.withEntries(fields) { entries in
            guard !body.isEmpty else {
                return unsafe nghttp2_submit_request(
                    pointer,
                    nil,
                    entries.baseAddress,
                    entries.count,
                    nil,
                    nil
                )
            }
            var provider = unsafe nghttp2_data_provider()
            unsafe provider.read_callback = SessionCallbacks.readBody
            return unsafe nghttp2_submit_request(
                pointer,
                nil,
                entries.baseAddress,
                entries.count,
                &provider,
                nil
            )
        }
        guard stream > 0 else { return nil }
        if !body.isEmpty { state.bodies[stream] = SessionState.OutgoingBody(bytes: body) }
        return stream
    }

    /// Lends the fields in nghttp2's form; it copies them.
    private static func withEntries<Result>(
        _ fields: [(String, String)],
        _ body: (UnsafeBufferPointer<nghttp2_nv>) -> Result
    ) -> Result {
        var text: [UInt8] = []
        for (name, value) in fields {
            text.append(contentsOf: name.utf8)
            text.append(contentsOf: value.utf8)
        }
        return unsafe text.withUnsafeMutableBufferPointer { text in
            var offset = 0
            let entries = unsafe fields.map { name, value in
                let start = unsafe text.baseAddress.map { unsafe $0 + offset }
                offset += name.utf8.count + value.utf8.count
                return unsafe nghttp2_nv(
                    name: start,
                    value: start.map { unsafe $0 + name.utf8.count },
                    namelen: name.utf8.count,
                    valuelen: value.utf8.count,
                    flags: 0
                )
            }
            return unsafe entries.withUnsafeBufferPointer { unsafe body($0) }
        }
    }

    // MARK: Bodies

    /// How many bytes of a body the peer takes now, in one frame.
    package func room(on stream: HTTP2StreamID) -> Int {
        let connection = unsafe nghttp2_session_get_remote_window_size(pointer)
        let own = unsafe nghttp2_session_get_stream_remote_window_size(pointer, stream)
        return max(0, min(Int(connection), Int(own), Self.dataByteLimit))
    }

    /// Makes one DATA frame of the bytes at the end of `buffer`; nothing but these may wait to be
    /// sent.
    ///
    /// - Parameters:
    ///   - buffer: `frameHeaderByteCount` bytes to write on, from `start`, then the payload.
    ///   - start: where the frame begins.
    ///   - stream: its response has begun and its `room` holds the bytes.
    ///   - endsStream: whether these are the last bytes.
    /// - Returns: false if the stream is closed; the bytes are then to be dropped.
    package mutating func frame(
        _ buffer: inout [UInt8],
        from start: Int,
        on stream: HTTP2StreamID,
        endsStream: Bool
    ) -> Bool {
        let count = buffer.count - start - Self.frameHeaderByteCount
        precondition(count >= 0, "there is room for the frame's header")
        state.offer = SessionState.Offer(stream: stream, count: count, endsStream: endsStream)
        // An error says that nothing had to be resumed.
        unsafe nghttp2_session_resume_data(pointer, stream)
        var others: [UInt8] = []
        appendOutput(to: &others)
        state.offer = nil
        let isMade = !state.frameHeader.isEmpty
        if isMade {
            for index in 0..<Self.frameHeaderByteCount {
                buffer[start + index] = state.frameHeader[index]
            }
            state.frameHeader.removeAll(keepingCapacity: true)
            buffer.append(contentsOf: others)
        } else {
            buffer.replaceSubrange(start..., with: others)
        }
        return isMade
    }

    /// Gives bytes of a body back to the peer's windows.
    package mutating func consume(_ count: Int, on stream: HTTP2StreamID) {
        // The stream may be closed; the connection's share counts then all the same.
        if unsafe nghttp2_session_consume(pointer, stream, count) != 0 {
            unsafe nghttp2_session_consume_connection(pointer, count)
        }
    }

    /// Gives bytes back to the connection's window alone: the stream itself stays held back.
    package mutating func consumeConnection(_ count: Int) {
        unsafe nghttp2_session_consume_connection(pointer, count)
    }

    /// Gives bytes back to the stream's window, of which the connection has had its share.
    package mutating func consumeStream(_ count: Int, on stream: HTTP2StreamID) {
        unsafe nghttp2_session_consume_stream(pointer, stream, count)
    }

    // MARK: Control

    package mutating func reset(_ stream: HTTP2StreamID, _ code: HTTP2ErrorCode) {
        unsafe nghttp2_submit_rst_stream(pointer, 0, stream, code.rawValue)
    }

    /// Asks the peer for a sign of life.
    package mutating func ping() { unsafe nghttp2_submit_ping(pointer, 0, nil) }

    /// Tells a client that the connection will end soon; it may still send requests.
    package mutating func announceEnd() { unsafe nghttp2_submit_shutdown_notice(pointer) }

    /// Takes no more streams; those that are open go on.
    package mutating func refuseStreams() {
        let last = unsafe nghttp2_session_get_last_proc_stream_id(pointer)
        unsafe nghttp2_submit_goaway(pointer, 0, last, 0, nil, 0)
    }

    /// Ends the connection with all its streams, once GOAWAY is sent.
    package mutating func end(_ code: HTTP2ErrorCode) {
        unsafe nghttp2_session_terminate_session(pointer, code.rawValue)
    }

    /// How many streams may be opened beside those that are.
    package var peerStreamLimit: Int {
        Int(
            unsafe nghttp2_session_get_remote_settings(
                pointer,
                NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS
            )
        )
    }

    /// Appends what waits to be sent, bodies offered by `frame` apart.
    ///
    /// - Parameters:
    ///   - buffer: gets whole frames.
    ///   - limit: how many bytes of it are enough.
    /// - Returns: false when memory lacks; the connection cannot go on.
    @discardableResult
    package mutating func appendOutput(
        to buffer: inout [UInt8],
        limit: Int = .max
    ) -> Bool {
        while buffer.count < limit {
            var bytes: UnsafePointer<UInt8>?
            let count = unsafe nghttp2_session_mem_send(pointer, &bytes)
            guard count > 0 else { return count == 0 }
            unsafe buffer.append(contentsOf: UnsafeBufferPointer(start: bytes, count: count))
        }
        return true
    }
}
