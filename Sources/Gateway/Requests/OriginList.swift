/// The origins of web pages that may use the gateway from a browser.
package struct OriginList: Sendable, Equatable {
    private var origins: Set<String>
    private var allowsLocalhost: Bool

    /// - Parameters:
    ///   - origins: as browsers send them, such as `https://chat.example`.
    ///   - allowsLocalhost: whether pages of this machine, on any port, are welcome.
    package init(_ origins: [String] = [], allowsLocalhost: Bool = false) {
        self.origins = Set(origins.map { $0.lowercased() })
        self.allowsLocalhost = allowsLocalhost
    }

    package func contains(_ origin: String) -> Bool {
        let origin = origin.lowercased()
        return origins.contains(origin) || (allowsLocalhost && isLocal(origin))
    }

    private func isLocal(_ origin: String) -> Bool {
        guard let scheme = ["http://", "https://"].first(where: { origin.hasPrefix($0) }) else {
            return false
        }
        return HostName(authority: origin.dropFirst(scheme.count))?.isLoopback ?? false
    }
}

/// The host of an authority (`host:port`), without its port.
struct HostName: Sendable, Equatable {
    let text: String

    /// - Returns: nil when the authority has no proper form.
    init?(authority: some StringProtocol) {
        let authority = authority.lowercased()
        if authority.hasPrefix("[") {
            guard let end = authority.firstIndex(of: "]"),
                Self.isPort(authority[authority.index(after: end)...])
            else { return nil }
            text = String(authority[...end])
        } else {
            let end = authority.firstIndex(of: ":") ?? authority.endIndex
            guard end > authority.startIndex, Self.isPort(authority[end...]) else { return nil }
            text = String(authority[..<end])
        }
    }

    /// Whether the name can only mean this machine.
    var isLoopback: Bool {
        text == "localhost" || text.hasSuffix(".localhost") || text == "[::1]" || isIn127
    }

    private var isIn127: Bool {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127" && parts.allSatisfy { UInt8($0) != nil }
    }

    private static func isPort(_ text: some StringProtocol) -> Bool {
        text.isEmpty || (text.first == ":" && (text.count == 1 || UInt16(text.dropFirst()) != nil))
    }
}
