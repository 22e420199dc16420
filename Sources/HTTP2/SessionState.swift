import HTTPWire
import StreamBytes

/// What nghttp2's callbacks read and write; used within calls of its session alone.
final class SessionState {
    let role: HTTP2Session.Role
    let settings: HTTP2Settings

    var events: [HTTP2Event] = []
    /// Where the input of the call begins: bodies are told as ranges of it.
    var inputAddress: UInt = 0
    var inputCount = 0
    var allowance: FrameAllowance
    /// Why a callback ended the call.
    var failure: HTTP2Failure?
    var sentError: HTTP2ErrorCode?

    /// The stream whose header section is being read; 0: none.
    var headStream: HTTP2StreamID = 0
    var head = HTTP2Head()
    private var headByteCount = 0
    private var fieldCount = 0
    private var continuationCount = 0
    private var cookies = ""

    /// The stream that the peer is resetting; 0: none.
    var resetStream: HTTP2StreamID = 0
    /// The newest stream that the peer has opened.
    private var lastStream: HTTP2StreamID = 0
    /// The latest streams that were reset here: what the peer had sent by then is none of its faults.
    private var ownResets: [HTTP2StreamID] = []
    /// Streams whose window the peer made too large by itself.
    var overfilled: Set<HTTP2StreamID> = []

    private static let ownResetLimit = 1_024

    /// How many CONTINUATION frames a header section may have.
    static let continuationLimit = 8

    /// Bytes that stand ready behind the place of their frame header.
    struct Offer {
        let stream: HTTP2StreamID
        let count: Int
        let endsStream: Bool
    }

    var offer: Offer?
    /// The header of the frame that took the offer.
    var frameHeader: [UInt8] = []
    /// Bodies of requests that a client sends.
    var bodies: [HTTP2StreamID: OutgoingBody] = [:]

    struct OutgoingBody {
        let bytes: [UInt8]
        var sentCount = 0
    }

    init(_ role: HTTP2Session.Role, _ settings: HTTP2Settings) {
        self.role = role
        self.settings = settings
        allowance = FrameAllowance(
            frames: .init(burst: settings.idleFrameBurst, perSecond: settings.idleFramesPerSecond),
            resets: .init(burst: settings.resetBurst, perSecond: settings.resetsPerSecond)
        )
    }

    /// Takes one frame that carries nothing.
    ///
    /// - Returns: whether the session goes on.
    func take(_ kind: FloodKind) -> Bool {
        guard !allowance.take(kind) else { return true }
        failure = .flood(kind)
        return false
    }

    /// Ends the session for a frame that breaks its rules.
    ///
    /// - Returns: false.
    func refuse(_ code: HTTP2ErrorCode) -> Bool {
        failure = .malformed(code)
        return false
    }

    // MARK: Streams that are over

    func noteOwnReset(_ stream: HTTP2StreamID) {
        if ownResets.count == Self.ownResetLimit { ownResets.removeFirst(Self.ownResetLimit / 2) }
        ownResets.append(stream)
    }

    /// Whether the peer itself has ended the stream, of which the session knows nothing any more.
    func wasEndedByPeer(_ stream: HTTP2StreamID) -> Bool {
        role == .server && stream <= lastStream && !ownResets.contains(stream)
    }

    // MARK: Header sections

    /// Past this many times the limit a section is meant to hurt.
    private static let bombFactor = 16

    func beginHead(_ stream: HTTP2StreamID) {
        headStream = stream
        lastStream = max(lastStream, stream)
        head = HTTP2Head()
        headByteCount = 0
        fieldCount = 0
        continuationCount = 0
        cookies = ""
    }

    /// Takes the header of one more frame of the section.
    ///
    /// - Returns: whether the session goes on.
    func takeContinuation() -> Bool {
        continuationCount += 1
        guard continuationCount > Self.continuationLimit else { return true }
        failure = .flood(.continuation)
        return false
    }

    /// Takes one field, unless the section has become too large.
    ///
    /// - Returns: whether the session goes on.
    func take(name: UnsafeBufferPointer<UInt8>, value: UnsafeBufferPointer<UInt8>) -> Bool {
        headByteCount += name.count + value.count + 32
        fieldCount += 1
        guard headByteCount <= settings.headerListByteLimit, fieldCount <= settings.fieldLimit
        else {
            head.isTooLarge = true
            guard headByteCount <= settings.headerListByteLimit * Self.bombFactor else {
                failure = .flood(.headerList)
                return false
            }
            return true
        }
        let name = unsafe String(decoding: name, as: UTF8.self)
        keep(name, unsafe String(decoding: value, as: UTF8.self))
        return true
    }

    private func keep(_ name: String, _ value: String) {
        switch name {
        case ":method": head.method = value
        case ":scheme": head.scheme = value
        case ":authority": head.authority = value
        case ":path": head.path = value
        case ":status": head.status = Int(value)
        // RFC 9113, section 8.2.3: crumbs are put together for whoever reads one field.
        case "cookie": cookies += cookies.isEmpty ? value : "; \(value)"
        default: head.fields.append(name, value)
        }
    }

    /// Tells of the section that is complete, unless it is one of trailers.
    func endHead(endsStream: Bool) {
        let stream = headStream
        headStream = 0
        head.endsStream = endsStream
        if !cookies.isEmpty { head.fields.append("cookie", cookies) }
        let isHead = role == .server ? head.method != nil : head.status != nil
        // Beyond its limit a section may have lost what tells the two apart.
        if isHead || head.isTooLarge { events.append(.head(stream, head)) }
        head = HTTP2Head()
        cookies = ""
    }
}
