import HTTP2
import HTTPWire
import StreamBytes
import Testing

/// One side of a connection with what it was told.
final class Side {
    var session: HTTP2Session
    private(set) var events: [HTTP2Event] = []
    /// The bodies of each stream, put together.
    private(set) var bodies: [HTTP2StreamID: String] = [:]
    private(set) var failure: HTTP2Failure?
    var now = MonotonicTime(nanoseconds: 0)

    init(_ role: HTTP2Session.Role, _ adjust: (inout HTTP2Settings) -> Void = { _ in }) throws {
        var settings = HTTP2Settings()
        adjust(&settings)
        session = try HTTP2Session(role, settings)
    }

    func receive(_ bytes: [UInt8]) {
        var arrived: [HTTP2Event] = []
        do throws(HTTP2Failure) {
            try session.receive(bytes.span, at: now, into: &arrived)
        } catch {
            failure = error
        }
        for case .data(let stream, let range) in arrived {
            bodies[stream, default: ""] += String(decoding: bytes[range], as: UTF8.self)
        }
        events += arrived
    }

    func takeOutput() -> [UInt8] {
        var bytes: [UInt8] = []
        session.appendOutput(to: &bytes)
        receive([])
        return bytes
    }

    /// Frames a body as far as the peer takes it now.
    ///
    /// - Returns: how much of it.
    func sendBody(
        _ text: String,
        on stream: HTTP2StreamID,
        endsStream: Bool,
        into output: inout [UInt8]
    ) -> Int {
        let room = session.room(on: stream)
        let part = Array(text.utf8.prefix(room))
        let start = output.count
        output += [UInt8](repeating: 0, count: HTTP2Session.frameHeaderByteCount) + part
        let isWhole = part.count == text.utf8.count
        let isMade = session.frame(
            &output,
            from: start,
            on: stream,
            endsStream: endsStream && isWhole
        )
        receive([])
        return isMade ? part.count : 0
    }

    func room(on stream: HTTP2StreamID) -> Int { session.room(on: stream) }

    var isOver: Bool { session.isOver }

    var heads: [HTTP2Head] {
        events.compactMap { if case .head(_, let head) = $0 { head } else { nil } }
    }

    var closed: [HTTP2ErrorCode] {
        events.compactMap { if case .closed(_, let code, _) = $0 { code } else { nil } }
    }
}

/// A client and a server with nothing between them.
struct Pair {
    let client: Side
    let server: Side

    init(_ adjust: (inout HTTP2Settings) -> Void = { _ in }) throws {
        client = try Side(.client, adjust)
        server = try Side(.server, adjust)
        settle()
    }

    /// Carries bytes both ways until neither side has any.
    func settle() {
        while true {
            let up = client.takeOutput()
            if !up.isEmpty { server.receive(up) }
            let down = server.takeOutput()
            if !down.isEmpty { client.receive(down) }
            if up.isEmpty, down.isEmpty { return }
        }
    }

    /// Opens a stream and has the server hear of it.
    func request(_ fields: [(String, String)] = get, body: [UInt8] = []) throws -> HTTP2StreamID {
        let stream = client.session.request(fields, body: body)
        settle()
        return try #require(stream)
    }

    static let get = [
        (":method", "GET"), (":scheme", "http"), (":authority", "a"), (":path", "/"),
    ]
}

/// Frames as bytes, for what no session would send.
enum Raw {
    static let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)

    static func frame(
        _ type: UInt8,
        flags: UInt8 = 0,
        stream: UInt32 = 0,
        _ payload: [UInt8] = []
    ) -> [UInt8] {
        let length = payload.count
        return [
            UInt8(length >> 16 & 0xFF), UInt8(length >> 8 & 0xFF), UInt8(length & 0xFF), type,
            flags, UInt8(stream >> 24), UInt8(stream >> 16 & 0xFF), UInt8(stream >> 8 & 0xFF),
            UInt8(stream & 0xFF),
        ] + payload
    }

    static let settings = frame(4)
    /// `GET / http a`, from the static table but for the authority.
    static let getBlock: [UInt8] = [0x82, 0x86, 0x84, 0x41, 0x01, UInt8(ascii: "a")]

    static func get(_ stream: UInt32, flags: UInt8 = 5) -> [UInt8] {
        frame(1, flags: flags, stream: stream, getBlock)
    }

    static func reset(_ stream: UInt32) -> [UInt8] {
        frame(3, stream: stream, [0, 0, 0, 8])
    }

    /// The types of the frames in `bytes`, in order.
    static func types(in bytes: [UInt8]) -> [UInt8] {
        var types: [UInt8] = []
        var offset = 0
        while offset + 9 <= bytes.count {
            types.append(bytes[offset + 3])
            offset +=
                9 + Int(bytes[offset]) << 16 + Int(bytes[offset + 1]) << 8
                + Int(bytes[offset + 2])
        }
        return types
    }

    /// The error code of the last GOAWAY in `bytes`.
    static func lastGoAway(in bytes: [UInt8]) -> HTTP2ErrorCode? {
        var offset = 0
        var code: HTTP2ErrorCode?
        while offset + 9 <= bytes.count {
            let length =
                Int(bytes[offset]) << 16 + Int(bytes[offset + 1]) << 8 + Int(bytes[offset + 2])
            if bytes[offset + 3] == 7 {
                let word = bytes[(offset + 13)..<(offset + 17)].reduce(0) { $0 << 8 | UInt32($1) }
                code = HTTP2ErrorCode(rawValue: word)
            }
            offset += 9 + length
        }
        return code
    }
}
