import HTTPWire
import Reactor

/// What a browser's own words about a request (`Origin`, `Sec-Fetch-*`, `Host`) allow.
///
/// Sources: Fetch standard, "HTTP-network-or-cache fetch" and "CORS protocol"; W3C Fetch Metadata.
package struct BrowserRules {
    let origins: OriginList

    package init(origins: OriginList) { self.origins = origins }

    /// Whether `Host` may be served on that listener: on loopback only names that mean this
    /// machine are, so that a foreign page cannot reach it through a name of its own.
    package func acceptsHost(_ head: RequestHead, local: SocketAddress) -> Bool {
        guard local.isLoopback, let host = head.fields.first("host") else { return true }
        return HostName(authority: host)?.isLoopback ?? false
    }

    /// Whether a request without a body may start something that costs money.
    package func maySpend(_ head: RequestHead) -> Bool {
        if let origin = head.fields.first("origin") {
            return origins.contains(origin) || isSameOrigin(origin, head)
        }
        switch head.fields.first("sec-fetch-site") {
        case nil, "same-origin", "none": return true
        default: return false
        }
    }

    /// The fields that let a page of a listed origin read the answer.
    package func fieldsForReading(_ head: RequestHead) -> [(String, String)] {
        guard let origin = head.fields.first("origin") else { return [] }
        guard origins.contains(origin) else { return [("Vary", "Origin")] }
        return [
            ("Access-Control-Allow-Origin", origin), ("Vary", "Origin"),
            ("Access-Control-Expose-Headers", "Weir-Stream, x-request-id, Retry-After"),
        ]
    }

    /// The fields of the answer to a preflight (`OPTIONS`).
    package func fieldsForPreflight(_ head: RequestHead) -> [(String, String)] {
        guard let origin = head.fields.first("origin"), origins.contains(origin) else {
            return [("Vary", "Origin")]
        }
        return [
            ("Access-Control-Allow-Origin", origin), ("Vary", "Origin"),
            ("Access-Control-Allow-Methods", "GET, POST, DELETE, OPTIONS"),
            (
                "Access-Control-Allow-Headers",
                "Authorization, Content-Type, Last-Event-ID, x-api-key, Weir-Seal"
            ),
            ("Access-Control-Max-Age", "600"),
        ]
    }

    private func isSameOrigin(_ origin: String, _ head: RequestHead) -> Bool {
        guard let host = head.fields.first("host") else { return false }
        return origin.lowercased() == "http://\(host)".lowercased()
            || origin.lowercased() == "https://\(host)".lowercased()
    }
}

extension SocketAddress {
    /// Whether only this machine can reach the address.
    package var isLoopback: Bool {
        switch self {
        case .v4(let address, _): address >> 24 == 127
        case .v6(let high, let low, _):
            high == 0 && (low == 1 || low >> 24 == 0xFF_FF7F)
        case .unix: true
        }
    }
}
