import Reactor
import RedisStreams

extension RedisURL {
    /// Takes the parts of a URL that the configuration has read.
    ///
    /// - Parameters:
    ///   - url: where the server is.
    ///   - configuration: names the files of an encrypted connection.
    /// - Throws: `RedisURLError`.
    init(_ url: ServiceURL, _ configuration: RedisConfiguration) throws(RedisURLError) {
        let location: Location
        var database = ""
        switch url.scheme {
        case "redis", "rediss":
            location = .host(url.host, port: url.port ?? 6_379)
            database = String(url.path.drop { $0 == "/" })
        case "unix":
            location = .unix(path: url.path)
            if let query = url.query, query.hasPrefix("db=") {
                database = String(query.dropFirst(3))
            }
        default: throw .unknownScheme(url.scheme)
        }
        guard let number = database.isEmpty ? 0 : Int(database), number >= 0 else {
            throw .badDatabase
        }
        self.init(
            location: location,
            user: url.user,
            password: url.password?.revealed,
            database: number,
            encryption: url.scheme == "rediss" ? configuration.encryption : nil
        )
    }
}

extension RedisConfiguration {
    fileprivate var encryption: RedisEncryption {
        var own: ClientCertificate?
        if let certificate, let key {
            own = ClientCertificate(certificateFile: certificate, keyFile: key)
        }
        return RedisEncryption(authorityFile: authorityFile, certificate: own)
    }
}
