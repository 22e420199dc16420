import RedisStreams

extension RedisURL {
    /// Takes the parts of a URL that the configuration has read.
    ///
    /// - Throws: `RedisURLError`.
    init(_ url: ServiceURL) throws(RedisURLError) {
        let location: Location
        var database = ""
        switch url.scheme {
        case "redis":
            location = .host(url.host, port: url.port ?? 6_379)
            database = String(url.path.drop { $0 == "/" })
        case "unix":
            location = .unix(path: url.path)
            if let query = url.query, query.hasPrefix("db=") {
                database = String(query.dropFirst(3))
            }
        case "rediss": throw .encryptionNotSupported
        default: throw .unknownScheme(url.scheme)
        }
        guard let number = database.isEmpty ? 0 : Int(database), number >= 0 else {
            throw .badDatabase
        }
        self.init(
            location: location,
            user: url.user,
            password: url.password?.revealed,
            database: number
        )
    }
}
