/// Where the streams are opened.
package struct LoadTarget: Sendable, Equatable {
    package let isSecure: Bool
    /// A host name or an IP address, without brackets.
    package let host: String
    package let port: UInt16
    /// With the query, if any.
    package let path: String

    /// Whether it speaks Weir's own events.
    var isWeirsOwn: Bool { path.hasPrefix("/api/stream") }

    static let nowhere = LoadTarget(isSecure: false, host: "", port: 0, path: "")

    private init(isSecure: Bool, host: String, port: UInt16, path: String) {
        self.isSecure = isSecure
        self.host = host
        self.port = port
        self.path = path
    }

    /// Reads `http://host[:port][/path]`, or the same with `https`; a base URL gets the path of
    /// OpenAI's chat completions.
    ///
    /// - Parameter text: without user, password and fragment.
    package init?(parsing text: String) {
        guard let mark = text.firstRange(of: "://") else { return nil }
        switch text[..<mark.lowerBound] {
        case "http": isSecure = false
        case "https": isSecure = true
        default: return nil
        }
        let rest = text[mark.upperBound...]
        let end = rest.firstIndex { $0 == "/" || $0 == "?" } ?? rest.endIndex
        let (host, port) = Self.authority(rest[..<end])
        let standardPort: Substring = isSecure ? "443" : "80"
        guard let number = UInt16(port ?? standardPort), number > 0, !host.isEmpty,
            !text.contains("@"), !text.contains("#")
        else { return nil }
        self.host = String(host)
        self.port = number
        path = Self.path(String(rest[end...]))
    }

    private static func authority(_ text: Substring) -> (host: Substring, port: Substring?) {
        if text.first == "[", let end = text.firstIndex(of: "]") {
            let rest = text[end...].dropFirst()
            return (text[..<end].dropFirst(), rest.isEmpty ? nil : rest.dropFirst())
        }
        guard let colon = text.firstIndex(of: ":") else { return (text, nil) }
        return (text[..<colon], text[colon...].dropFirst())
    }

    private static func path(_ text: String) -> String {
        switch text {
        case "", "/": "/v1/chat/completions"
        case "/v1", "/v1/": "/v1/chat/completions"
        default: text.hasPrefix("?") ? "/" + text : text
        }
    }

    /// The value of `Host`.
    package var authority: String {
        let name = host.contains(":") ? "[\(host)]" : host
        return port == (isSecure ? 443 : 80) ? name : "\(name):\(port)"
    }
}
