import HTTPWire
import StreamBytes

/// The request that every stream sends.
struct LoadRequest: Sendable {
    /// All of it, for a connection of HTTP/1.1.
    let bytes: [UInt8]
    /// The fields of its head and its body, for a stream of HTTP/2.
    let http2Fields: [(String, String)]
    let body: [UInt8]
    /// What the answers are asked to be sealed with.
    let seal: LoadSeal?

    /// Makes the request; nil when the options hold what a head cannot carry.
    init?(_ options: LoadOptions) {
        body = [UInt8](Self.body(options).utf8)
        seal = options.seal
        var fields: HeaderFields = [
            "content-type": "application/json", "accept": "text/event-stream",
            "user-agent": "weir-load",
        ]
        if let key = options.key { fields.append("authorization", "Bearer \(key)") }
        if let coding = options.coding { fields.append("accept-encoding", coding.rawValue) }
        let target = options.target
        if let seal = options.seal, !target.isWeirsOwn {
            fields.append("weir-seal", String(decoding: seal.offer, as: UTF8.self))
        }
        guard let own = try? fields.http2Fields() else { return nil }
        let pseudo = [
            (":method", "POST"), (":scheme", target.isSecure ? "https" : "http"),
            (":authority", target.authority), (":path", target.path),
        ]
        http2Fields = pseudo + own + [("content-length", "\(body.count)")]
        fields.append("host", target.authority)
        let head = RequestHead(
            method: "POST",
            target: options.target.path,
            path: options.target.path,
            query: nil,
            minorVersion: 1,
            fields: fields
        )
        var bytes: [UInt8] = []
        do throws(HTTPError) {
            try head.encode(into: &bytes, bodyByteCount: body.count, connection: "close")
        } catch {
            return nil
        }
        self.bytes = bytes + body
    }

    private static func body(_ options: LoadOptions) -> String {
        var members = [
            #""model":"\#(escaped(options.model))""#, #""stream":true"#,
            #""stream_options":{"include_usage":true}"#,
            #""messages":[{"role":"user","content":"Tell me a story."}]"#,
        ]
        if let seal = options.seal, options.target.isWeirsOwn {
            members.append("\"seal\":" + String(decoding: seal.offer, as: UTF8.self))
        }
        if let rate = options.rate {
            let seconds = options.duration.map { Double($0.wholeMilliseconds) / 1_000 } ?? 0
            members.append(#""metadata":{"replay_rate":"\#(rate)","replay_seconds":"\#(seconds)"}"#)
        }
        return "{\(members.joined(separator: ","))}"
    }

    private static func escaped(_ text: String) -> String {
        text.unicodeScalars.map { scalar in
            switch scalar {
            case "\"": return "\\\""
            case "\\": return "\\\\"
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                return "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: return String(scalar)
            }
        }.joined()
    }
}
