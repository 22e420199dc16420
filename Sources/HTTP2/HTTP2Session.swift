import CNghttp2
import HTTPWire
import StreamBytes

/// One side of an HTTP/2 connection without its socket: takes the bytes that came, yields events,
/// and makes the bytes to be sent.
///
/// Owns nghttp2's session: `init` makes it, `deinit` frees it, nothing copies it. What a peer may do
/// wrong on a stream is answered on that stream by nghttp2; the connection hears that it is closed.
///
/// Source: RFC 9113.
@safe
package struct HTTP2Session: ~Copyable {
    package enum Role: Sendable {
        /// The client's preface is expected first.
        case server
        case client
    }

    /// What a client sends first (RFC 9113, section 3.4).
    package static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)

    let pointer: OpaquePointer
    let state: SessionState
    private var scanner = FrameScanner()

    /// Starts a connection; its preface waits to be sent.
    ///
    /// - Throws: `outOfMemory`.
    package init(_ role: Role, _ settings: HTTP2Settings) throws(HTTP2Failure) {
        let state = SessionState(role, settings)
        guard let pointer = unsafe Self.open(role, settings, state) else { throw .outOfMemory }
        guard unsafe Self.begin(pointer, role, settings) else {
            unsafe nghttp2_session_del(pointer)
            throw .outOfMemory
        }
        unsafe self.pointer = pointer
        self.state = state
    }

    deinit { unsafe nghttp2_session_del(pointer) }

    private static func open(
        _ role: Role,
        _ settings: HTTP2Settings,
        _ state: SessionState
    ) -> OpaquePointer? {
        var callbacks: OpaquePointer?
        var option: OpaquePointer?
        defer {
            unsafe nghttp2_session_callbacks_del(callbacks)
            unsafe nghttp2_option_del(option)
        }
        guard unsafe nghttp2_session_callbacks_new(&callbacks) == 0,
            unsafe nghttp2_option_new(&option) == 0
        else { return nil }
        unsafe SessionCallbacks.install(in: callbacks)
        unsafe nghttp2_option_set_no_auto_window_update(option, 1)
        unsafe nghttp2_option_set_no_closed_streams(option, 1)
        unsafe nghttp2_option_set_max_reserved_remote_streams(option, 0)
        // The allowance cuts a peer off long before nghttp2's own limits would, and by its own name.
        let resets = UInt64(settings.resetBurst) * 64
        unsafe nghttp2_option_set_stream_reset_rate_limit(option, resets, resets)
        // It counts the calls that a frame's header comes in, not the frames: one for each byte at worst.
        let calls = SessionState.continuationLimit * (frameHeaderByteCount + 1)
        unsafe nghttp2_option_set_max_continuations(option, calls)
        unsafe nghttp2_option_set_max_outbound_ack(option, settings.idleFrameBurst * 4)
        // The session holds `state` as long as the pointer, and the pointer is freed with it.
        let context = unsafe Unmanaged.passUnretained(state).toOpaque()
        var session: OpaquePointer?
        let outcome =
            switch role {
            case .server: unsafe nghttp2_session_server_new2(&session, callbacks, context, option)
            case .client: unsafe nghttp2_session_client_new2(&session, callbacks, context, option)
            }
        return unsafe outcome == 0 ? session : nil
    }

    private static func begin(
        _ pointer: OpaquePointer,
        _ role: Role,
        _ settings: HTTP2Settings
    ) -> Bool {
        var entries = [
            entry(NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, settings.streamWindow),
            entry(NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, settings.headerListByteLimit),
            entry(NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1),
        ]
        switch role {
        case .server:
            entries.append(
                entry(NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, settings.streamLimit)
            )
        case .client: entries.append(entry(NGHTTP2_SETTINGS_ENABLE_PUSH, 0))
        }
        let window = Int32(clamping: settings.connectionWindow)
        return unsafe nghttp2_submit_settings(pointer, 0, entries, entries.count) == 0
            && nghttp2_session_set_local_window_size(pointer, 0, 0, window) == 0
    }

    private static func entry(
        _ identifier: nghttp2_settings_id,
        _ value: Int
    ) -> nghttp2_settings_entry {
        nghttp2_settings_entry(
            settings_id: Int32(identifier.rawValue),
            value: UInt32(clamping: value)
        )
    }

    // MARK: Receiving

    /// Takes bytes that came, all of them.
    ///
    /// - Parameters:
    ///   - bytes: the ranges of events are positions in them.
    ///   - now: fills the allowance for frames that carry nothing.
    ///   - events: empty; gets what came, and which streams closed by what was sent before. In the
    ///     case of an error, what came before it.
    /// - Throws: why the connection ends; send what waits (GOAWAY among it), then close.
    package mutating func receive(
        _ bytes: Span<UInt8>,
        at now: MonotonicTime,
        into events: inout [HTTP2Event]
    ) throws(HTTP2Failure) {
        precondition(events.isEmpty, "events are taken before there are more")
        state.allowance.refill(at: now)
        unsafe bytes.withUnsafeBytes { input in
            state.inputAddress = UInt(bitPattern: input.baseAddress)
            state.inputCount = input.count
        }
        take(bytes)
        state.inputCount = 0
        swap(&events, &state.events)
        guard let failure = state.failure else { return }
        state.failure = nil
        end(failure.code)
        throw failure
    }

    /// Feeds the session, a server's in parts: before each DATA frame it is seen to that its stream
    /// may have one.
    private mutating func take(_ bytes: Span<UInt8>) {
        var fedCount = 0
        var offset = 0
        while state.role == .server, state.failure == nil,
            let stream = scanner.nextData(in: bytes, from: &offset)
        {
            feed(bytes.extracting(fedCount..<offset - 1))
            fedCount = offset - 1
            if state.failure == nil, stream > 0, !isKnown(stream), state.wasEndedByPeer(stream) {
                state.failure = .malformed(.streamClosed)
            }
        }
        if state.failure == nil { feed(bytes.extracting(fedCount...)) }
    }

    private func feed(_ bytes: Span<UInt8>) {
        let count = unsafe bytes.withUnsafeBufferPointer {
            unsafe nghttp2_session_mem_recv(pointer, $0.baseAddress, $0.count)
        }
        if count < 0, state.failure == nil { state.failure = Self.failure(Int32(count)) }
    }

    private func isKnown(_ stream: HTTP2StreamID) -> Bool {
        unsafe nghttp2_session_find_stream(pointer, stream) != nil
    }

    private static func failure(_ number: Int32) -> HTTP2Failure {
        switch nghttp2_error(rawValue: number) {
        case NGHTTP2_ERR_NOMEM: .outOfMemory
        case NGHTTP2_ERR_FLOODED: .flood(.ping)
        case NGHTTP2_ERR_BAD_CLIENT_MAGIC: .malformed(.protocolError)
        case NGHTTP2_ERR_TOO_MANY_CONTINUATIONS: .flood(.continuation)
        default: .malformed(.internalError)
        }
    }

    /// Whether the connection is over: nothing will be read, and nothing waits to be sent.
    package var isOver: Bool {
        unsafe nghttp2_session_want_read(pointer) == 0 && nghttp2_session_want_write(pointer) == 0
    }

    /// Whether something waits to be sent.
    package var hasOutput: Bool { unsafe nghttp2_session_want_write(pointer) != 0 }

    /// The error of the GOAWAY that was sent, if one was sent for an error.
    package var sentError: HTTP2ErrorCode? { state.sentError }

    /// Whether a header section has begun and not ended.
    package var isInHead: Bool { state.headStream != 0 }
}

extension HTTP2Failure {
    /// What the peer is told.
    package var code: HTTP2ErrorCode {
        switch self {
        case .malformed(let code): code
        case .flood: .enhanceYourCalm
        case .outOfMemory: .internalError
        }
    }
}
