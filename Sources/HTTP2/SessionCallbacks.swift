import CNghttp2

/// The C functions that nghttp2 calls: each finds its session's state and notes what happened.
///
/// Proof for the pointers: nghttp2 hands out the context that the session was made with, whose owner
/// holds the state; frames and bytes are read during the call alone.
enum SessionCallbacks {
    static func install(in callbacks: OpaquePointer?) {
        unsafe nghttp2_session_callbacks_set_on_begin_frame_callback(callbacks, frameBegins)
        unsafe nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, headBegins)
        unsafe nghttp2_session_callbacks_set_on_header_callback(callbacks, field)
        unsafe nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, frameCame)
        unsafe nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(callbacks, badFrameCame)
        unsafe nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, bytesCame)
        unsafe nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, streamClosed)
        unsafe nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, frameWasSent)
        unsafe nghttp2_session_callbacks_set_send_data_callback(callbacks, sendOffer)
    }

    /// The most bytes of a DATA frame that is counted as next to empty.
    private static let smallDataLimit = 64

    private static func state(_ context: UnsafeMutableRawPointer?) -> SessionState {
        guard let context = unsafe context else { preconditionFailure("a session has its state") }
        return unsafe Unmanaged<SessionState>.fromOpaque(context).takeUnretainedValue()
    }

    private static func outcome(_ goesOn: Bool) -> Int32 {
        goesOn ? 0 : NGHTTP2_ERR_CALLBACK_FAILURE.rawValue
    }

    private static let frameBegins: nghttp2_on_begin_frame_callback = { session, header, context in
        guard let header = unsafe header?.pointee else { return 0 }
        let state = unsafe state(context)
        let type = nghttp2_frame_type(UInt32(header.type))
        // RFC 9113, section 5.1; nghttp2 passes over what comes for streams that are over.
        if type == NGHTTP2_HEADERS, header.stream_id > 0,
            unsafe nghttp2_session_find_stream(session, header.stream_id) == nil,
            state.wasEndedByPeer(header.stream_id)
        {
            return outcome(state.refuse(.streamClosed))
        }
        let flags = UInt32(header.flags)
        let isAcknowledgement = flags & NGHTTP2_FLAG_ACK.rawValue != 0
        switch type {
        case NGHTTP2_PING where !isAcknowledgement: return outcome(state.take(.ping))
        case NGHTTP2_SETTINGS where !isAcknowledgement: return outcome(state.take(.settings))
        // Section 6.3; with its own priorities switched off nghttp2 does not look.
        case NGHTTP2_PRIORITY where header.stream_id == 0:
            return outcome(state.refuse(.protocolError))
        case NGHTTP2_CONTINUATION: return outcome(state.takeContinuation())
        case NGHTTP2_PRIORITY: return outcome(state.take(.priority))
        case NGHTTP2_WINDOW_UPDATE: return outcome(state.take(.windowUpdate))
        case NGHTTP2_RST_STREAM: return outcome(state.take(.reset))
        case NGHTTP2_DATA
        where header.length < smallDataLimit && flags & NGHTTP2_FLAG_END_STREAM.rawValue == 0
            && state.role == .server:
            return outcome(state.take(.smallData))
        default: return 0
        }
    }

    private static let headBegins: nghttp2_on_begin_headers_callback = { _, frame, context in
        guard let frame = unsafe frame else { return 0 }
        unsafe state(context).beginHead(frame.pointee.hd.stream_id)
        return 0
    }

    private static let field: nghttp2_on_header_callback = {
        _,
        _,
        name,
        nameCount,
        value,
        valueCount,
        _,
        context in
        let goesOn = unsafe state(context).take(
            name: UnsafeBufferPointer(start: name, count: nameCount),
            value: UnsafeBufferPointer(start: value, count: valueCount)
        )
        return outcome(goesOn)
    }

    private static let frameCame: nghttp2_on_frame_recv_callback = { _, frame, context in
        guard let frame = unsafe frame else { return 0 }
        let state = unsafe state(context)
        let header = unsafe frame.pointee.hd
        let stream = header.stream_id
        let endsStream = UInt32(header.flags) & NGHTTP2_FLAG_END_STREAM.rawValue != 0
        let isAcknowledgement = UInt32(header.flags) & NGHTTP2_FLAG_ACK.rawValue != 0
        switch nghttp2_frame_type(UInt32(header.type)) {
        case NGHTTP2_HEADERS:
            state.endHead(endsStream: endsStream)
            if endsStream { state.events.append(.end(stream)) }
        case NGHTTP2_DATA:
            if endsStream { state.events.append(.end(stream)) }
        case NGHTTP2_RST_STREAM: state.resetStream = stream
        case NGHTTP2_WINDOW_UPDATE:
            state.events.append(.windowGrew(stream == 0 ? nil : stream))
        case NGHTTP2_SETTINGS where !isAcknowledgement: state.events.append(.settingsChanged)
        case NGHTTP2_PING where isAcknowledgement: state.events.append(.pong)
        case NGHTTP2_GOAWAY:
            let code = unsafe HTTP2ErrorCode(rawValue: frame.pointee.goaway.error_code)
            let last = unsafe frame.pointee.goaway.last_stream_id
            state.events.append(.goAway(last: last, code))
        default: break
        }
        return 0
    }

    /// nghttp2 resets the stream of a malformed message: that is work which a peer can cause, too.
    private static let badFrameCame: nghttp2_on_invalid_frame_recv_callback = {
        _,
        frame,
        _,
        context in
        guard let frame = unsafe frame else { return 0 }
        let state = unsafe state(context)
        let header = unsafe frame.pointee.hd
        if state.headStream == header.stream_id { state.headStream = 0 }
        if UInt32(header.type) == NGHTTP2_WINDOW_UPDATE.rawValue {
            state.overfilled.insert(header.stream_id)
        }
        return outcome(state.take(.reset))
    }

    private static let bytesCame: nghttp2_on_data_chunk_recv_callback = {
        _,
        _,
        stream,
        bytes,
        count,
        context in
        let state = unsafe state(context)
        let start = Int(bitPattern: UInt(bitPattern: bytes) &- state.inputAddress)
        precondition(start >= 0 && start + count <= state.inputCount, "a body is part of the input")
        state.events.append(.data(stream, start..<start + count))
        return 0
    }

    private static let streamClosed: nghttp2_on_stream_close_callback = {
        _,
        stream,
        code,
        context in
        let state = unsafe state(context)
        let isReset = state.resetStream == stream
        state.resetStream = 0
        state.overfilled.remove(stream)
        state.bodies[stream] = nil
        let error = HTTP2ErrorCode(rawValue: code)
        state.events.append(.closed(stream, error, isReset: isReset))
        return 0
    }

    private static let frameWasSent: nghttp2_on_frame_send_callback = { session, frame, context in
        guard let frame = unsafe frame else { return 0 }
        let state = unsafe state(context)
        switch nghttp2_frame_type(UInt32(unsafe frame.pointee.hd.type)) {
        case NGHTTP2_DATA: state.allowance.dataWasSent()
        case NGHTTP2_RST_STREAM:
            let stream = unsafe frame.pointee.hd.stream_id
            state.noteOwnReset(stream)
            let code = unsafe HTTP2ErrorCode(rawValue: frame.pointee.rst_stream.error_code)
            // Section 6.9.2: where the peer's settings made a window too large, the connection ends.
            if code == .flowControlError, state.overfilled.remove(stream) == nil {
                unsafe nghttp2_session_terminate_session(session, code.rawValue)
            }
        case NGHTTP2_GOAWAY:
            let code = unsafe HTTP2ErrorCode(rawValue: frame.pointee.goaway.error_code)
            if code != .noError { state.sentError = code }
        default: break
        }
        return 0
    }

    /// Keeps the header of the frame whose bytes stand in the caller's buffer already.
    private static let sendOffer: nghttp2_send_data_callback = {
        _,
        _,
        header,
        _,
        _,
        context in
        unsafe state(context).frameHeader.append(
            contentsOf: UnsafeBufferPointer(start: header, count: HTTP2Session.frameHeaderByteCount)
        )
        return 0
    }

    /// Tells nghttp2 how many bytes stand ready for a stream.
    static let readOffer: nghttp2_data_source_read_callback = {
        _,
        stream,
        _,
        limit,
        flags,
        _,
        context in
        let state = unsafe state(context)
        guard let offer = state.offer, offer.stream == stream else {
            return Int(NGHTTP2_ERR_DEFERRED.rawValue)
        }
        precondition(offer.count <= limit, "what is offered fits the windows and a frame")
        state.offer = nil
        var bits = NGHTTP2_DATA_FLAG_NO_COPY.rawValue
        if offer.endsStream { bits |= NGHTTP2_DATA_FLAG_EOF.rawValue }
        unsafe flags?.pointee = bits
        return offer.count
    }

    /// Copies the next bytes of a request's body.
    static let readBody: nghttp2_data_source_read_callback = {
        _,
        stream,
        room,
        limit,
        flags,
        _,
        context in
        let state = unsafe state(context)
        guard var body = state.bodies[stream] else {
            return Int(NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE.rawValue)
        }
        let part = body.bytes[body.sentCount...].prefix(limit)
        unsafe part.withUnsafeBufferPointer { source in
            guard let base = source.baseAddress else { return }
            unsafe room?.update(from: base, count: source.count)
        }
        body.sentCount += part.count
        let isAtEnd = body.sentCount == body.bytes.count
        state.bodies[stream] = isAtEnd ? nil : body
        if isAtEnd { unsafe flags?.pointee = NGHTTP2_DATA_FLAG_EOF.rawValue }
        return part.count
    }
}
