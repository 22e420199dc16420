/// Where something else listens: `https://host/path`, `redis://user:password@host:6379/0`,
/// `unix:///path`.
package struct ServiceURL: Equatable, Sendable, CustomStringConvertible {
    /// In lower case.
    package var scheme = ""
    package var user: String?
    package var password: Secret?
    /// A name or an address without brackets; empty for a path alone.
    package var host = ""
    /// Nil: the scheme's own.
    package var port: UInt16?
    /// From its first slash on, without query; empty when there is none.
    package var path = ""
    /// What follows `?`; nil when there is none.
    package var query: String?

    /// No address: what a value has before it is read.
    package static let none = ServiceURL()

    private init() {}

    /// Reads an absolute URL; nil if `text` is nothing of the kind.
    package init?(_ text: String) {
        guard text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }), !text.contains("#"),
            let separator = text.firstRange(of: "://")
        else { return nil }
        scheme = text[..<separator.lowerBound].lowercased()
        var rest = text[separator.upperBound...]
        if let mark = rest.firstIndex(of: "?") {
            query = String(rest[rest.index(after: mark)...])
            rest = rest[..<mark]
        }
        if let slash = rest.firstIndex(of: "/") {
            path = String(rest[slash...])
            rest = rest[..<slash]
        }
        guard readAuthority(rest) else { return nil }
    }

    /// The URL without its passwords, those of its query included, fit for a log.
    package var description: String {
        var text = "\(scheme)://"
        if user != nil || password != nil {
            text += (user ?? "") + (password == nil ? "" : ":redacted") + "@"
        }
        text += host.contains(":") ? "[\(host)]" : host
        if let port { text += ":\(port)" }
        return text + path + (query.map { "?" + Self.redacted(query: $0) } ?? "")
    }

    private static func redacted(query: String) -> String {
        let items = query.split(separator: "&", omittingEmptySubsequences: false)
        return items.map { item in
            let name = item.prefix { $0 != "=" }
            // A name that cannot be read may be any.
            let isPassword = decoded(name)?.lowercased().contains("password") ?? true
            return isPassword ? "\(name)=redacted" : String(item)
        }
        .joined(separator: "&")
    }

    private mutating func readAuthority(_ text: Substring) -> Bool {
        var rest = text
        if let at = rest.lastIndex(of: "@") {
            guard readUser(rest[..<at]) else { return false }
            rest = rest[rest.index(after: at)...]
        }
        var portText: Substring?
        if rest.hasPrefix("[") {
            guard let bracket = rest.firstIndex(of: "]") else { return false }
            host = String(rest[rest.index(after: rest.startIndex)..<bracket])
            let after = rest[rest.index(after: bracket)...]
            guard after.isEmpty || after.hasPrefix(":"), case .v6 = IPAddress(host) else {
                return false
            }
            portText = after.isEmpty ? nil : after.dropFirst()
        } else {
            let parts = rest.split(separator: ":", omittingEmptySubsequences: false)
            guard parts.count <= 2 else { return false }
            host = String(parts[0]).lowercased()
            portText = parts.count == 2 ? parts[1] : nil
        }
        guard host.utf8.allSatisfy(Self.isHostByte) else { return false }
        guard let portText else { return true }
        guard let number = UInt16(portText), number > 0, !portText.hasPrefix("+") else {
            return false
        }
        port = number
        return true
    }

    private mutating func readUser(_ text: Substring) -> Bool {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard let name = Self.decoded(parts[0]) else { return false }
        user = name.isEmpty ? nil : name
        guard parts.count == 2 else { return true }
        guard let secret = Self.decoded(parts[1]) else { return false }
        password = Secret(secret)
        return true
    }

    private static func isHostByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x3A: true
        default: false
        }
    }

    /// Resolves the percent escapes; nil when one is malformed.
    private static func decoded(_ text: Substring) -> String? {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            if byte != 0x25 {
                bytes.append(byte)
                continue
            }
            guard rest.count >= 2,
                let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
            else { return nil }
            bytes.append(value)
            rest = rest.dropFirst(2)
        }
        return String(validating: bytes, as: UTF8.self)
    }
}

/// Where the ledger is.
package enum LedgerLocation: Equatable, Sendable, CustomStringConvertible {
    /// A file.
    case sqlite(path: String)
    /// The whole connection URL, which holds a password as a rule, and its form for logs.
    case postgresql(url: Secret, shown: ServiceURL)

    /// Reads `sqlite:path` or `postgresql://…`; nil if it is neither.
    package init?(_ text: String) {
        if text.hasPrefix("sqlite:") {
            // sqlite:///absolute and sqlite:relative are both in use.
            let path = text.dropFirst("sqlite:".count)
            let file = path.hasPrefix("///") ? path.dropFirst(2) : path
            guard !file.isEmpty, !file.hasPrefix("//"), !file.utf8.contains(0) else { return nil }
            self = .sqlite(path: String(file))
            return
        }
        guard let url = ServiceURL(text), ["postgresql", "postgres"].contains(url.scheme) else {
            return nil
        }
        self = .postgresql(url: Secret(text), shown: url)
    }

    package var description: String {
        switch self {
        case .sqlite(let path): "sqlite:\(path)"
        case .postgresql(_, let shown): shown.description
        }
    }
}
