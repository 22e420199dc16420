import Reactor

/// Where a Redis server is and how to log in.
package struct RedisURL: Sendable, Equatable {
    package enum Location: Sendable, Equatable {
        /// A host name or the text of an IP address, without brackets.
        case host(String, port: UInt16)
        case unix(path: String)
    }

    package let location: Location
    package let user: String?
    package let password: String?
    /// The number of the database; 0 is the one that a connection begins with.
    package let database: Int
    /// Nil: the connection is not encrypted.
    package let encryption: RedisEncryption?

    /// Names a server by parts that were read elsewhere.
    package init(
        location: Location,
        user: String?,
        password: String?,
        database: Int,
        encryption: RedisEncryption? = nil
    ) {
        self.location = location
        self.user = user
        self.password = password
        self.database = database
        self.encryption = encryption
    }

    /// Reads `redis[s]://[user[:password]@]host[:port][/database]` or
    /// `unix://[user[:password]@]/path[?db=database]`.
    ///
    /// - Parameter text: percent-encoded where needed; a single name before `@` is a password only
    ///   when a colon stands before it.
    /// - Throws: `RedisURLError`, which never contains the password.
    package init(parsing text: String) throws(RedisURLError) {
        guard let mark = text.firstRange(of: "://") else { throw .notAURL }
        let rest = text[mark.upperBound...]
        let login = Self.login(of: rest)
        let place = rest.dropFirst(login.map { $0.count + 1 } ?? 0)
        (user, password) = try Self.credentials(login)
        switch text[..<mark.lowerBound] {
        case "redis", "rediss": (location, database) = try Self.networkPlace(place)
        case "unix", "redis+unix": (location, database) = try Self.socketPlace(place)
        default: throw .unknownScheme(String(text[..<mark.lowerBound]))
        }
        encryption = text.hasPrefix("rediss:") ? RedisEncryption() : nil
    }

    private static func login(of rest: Substring) -> Substring? {
        let end = rest.firstIndex { $0 == "/" || $0 == "?" } ?? rest.endIndex
        return rest[..<end].lastIndex(of: "@").map { rest[..<$0] }
    }

    private static func credentials(
        _ login: Substring?
    ) throws(RedisURLError) -> (user: String?, password: String?) {
        guard let login else { return (nil, nil) }
        let parts = login.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let name = try decoded(parts[0])
        let password = parts.count > 1 ? try decoded(parts[1]) : nil
        guard password != nil || name.isEmpty else { throw .badCredentials }
        return (name.isEmpty ? nil : name, password)
    }

    private static func networkPlace(
        _ place: Substring
    ) throws(RedisURLError) -> (Location, Int) {
        guard !place.contains("?"), !place.contains("#") else { throw .unknownOption }
        let parts = place.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        let (host, portText) = splitPort(parts[0])
        guard let port = portText.map({ UInt16($0) }) ?? 6_379, port > 0 else { throw .badPort }
        let name = try decoded(host)
        guard !name.isEmpty else { throw .noHost }
        let number = parts.count > 1 && !parts[1].isEmpty ? parts[1] : "0"
        return (.host(name, port: port), try database(number))
    }

    private static func splitPort(_ authority: Substring) -> (Substring, Substring?) {
        if authority.first == "[", let end = authority.firstIndex(of: "]") {
            let host = authority[authority.index(after: authority.startIndex)..<end]
            let rest = authority[authority.index(after: end)...]
            return (host, rest.isEmpty ? nil : rest.dropFirst())
        }
        guard let colon = authority.firstIndex(of: ":") else { return (authority, nil) }
        return (authority[..<colon], authority[authority.index(after: colon)...])
    }

    private static func socketPlace(
        _ place: Substring
    ) throws(RedisURLError) -> (Location, Int) {
        let parts = place.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
        let path = try decoded(parts[0])
        guard path.hasPrefix("/") else { throw .noHost }
        guard path.utf8.count <= 107, !path.utf8.contains(0) else { throw .pathTooLong }
        guard parts.count > 1 else { return (.unix(path: path), 0) }
        guard parts[1].hasPrefix("db=") else { throw .unknownOption }
        return (.unix(path: path), try database(parts[1].dropFirst(3)))
    }

    private static func database(_ text: Substring) throws(RedisURLError) -> Int {
        guard let number = Int(text), (0...65_535).contains(number) else { throw .badDatabase }
        return number
    }

    private static func decoded(_ text: Substring) throws(RedisURLError) -> String {
        var bytes: [UInt8] = []
        var rest = text.utf8[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            let digits = String(decoding: rest.prefix(2), as: UTF8.self)
            guard digits.utf8.count == 2, digits.allSatisfy(\.isHexDigit),
                let value = UInt8(digits, radix: 16)
            else { throw .badEncoding }
            bytes.append(value)
            rest = rest.dropFirst(2)
        }
        guard let decoded = String(validating: bytes, as: UTF8.self) else { throw .badEncoding }
        return decoded
    }
}

/// Whom an encrypted connection trusts, and who it says it is.
///
/// The server's certificate is verified always, for the host of the URL.
package struct RedisEncryption: Sendable, Equatable {
    /// A PEM file of authorities trusted besides the system's.
    package let authorityFile: String?
    /// For servers that ask for the client's certificate.
    package let certificate: ClientCertificate?

    package init(authorityFile: String? = nil, certificate: ClientCertificate? = nil) {
        self.authorityFile = authorityFile
        self.certificate = certificate
    }
}

/// What is wrong with a Redis URL.
package enum RedisURLError: Error, Equatable, Sendable {
    case notAURL
    case unknownScheme(String)
    /// A name before `@` without a password.
    case badCredentials
    case noHost
    case badPort
    case badDatabase
    /// A percent sign without two hexadecimal digits, or bytes that are no UTF-8.
    case badEncoding
    /// A socket's path has at most 107 bytes.
    case pathTooLong
    case unknownOption
}
