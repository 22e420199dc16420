/// The head of a request, checked.
package struct RequestHead: Sendable, Equatable {
    package var method: String
    /// As sent; origin form, or `*`.
    package var target: String
    /// The target up to its `?`, not decoded.
    package var path: String
    /// What follows the first `?`, not decoded; nil when there is none.
    package var query: String?
    /// 1 for HTTP/1.1, 0 for HTTP/1.0.
    package var minorVersion: Int
    package var fields: HeaderFields

    package init(
        method: String,
        target: String,
        path: String,
        query: String?,
        minorVersion: Int,
        fields: HeaderFields
    ) {
        self.method = method
        self.target = target
        self.path = path
        self.query = query
        self.minorVersion = minorVersion
        self.fields = fields
    }

    /// Makes a head whose path and query are read from `target`.
    package init(method: String, target: String, minorVersion: Int = 1, fields: HeaderFields = [:])
    {
        let mark = target.utf8.firstIndex(of: UInt8(ascii: "?"))
        self.init(
            method: method,
            target: target,
            path: String(target[..<(mark ?? target.endIndex)]),
            query: mark.map { String(target[target.utf8.index(after: $0)...]) },
            minorVersion: minorVersion,
            fields: fields
        )
    }
}

/// The head of a response.
package struct ResponseHead: Sendable, Equatable {
    package var status: Int
    package var fields: HeaderFields

    package init(status: Int, fields: HeaderFields = [:]) {
        self.status = status
        self.fields = fields
    }
}
