/// Why a server would not carry out a command.
package struct RedisRefusal: Error, Equatable, Sendable {
    /// The kinds that call for different things; the raw value is the label of metrics.
    package enum Kind: String, CaseIterable, Sendable {
        case loading, oom, readonly, noscript, noauth, wrongpass, noperm, moved, ask, clusterdown
        case tryagain, busy, misconf, masterdown, noreplicas, denied, nogroup, busygroup, wrongtype
        /// What a blocked reader waited at is gone.
        case unblocked
        /// All connections that the server allows are taken.
        case maxclients
        /// The server does not know the command: too old, or something in between.
        case unknown
        case other
    }

    package let kind: Kind
    /// The server's own words.
    package let message: String

    /// Reads what stands after the minus sign of an error reply.
    package init(_ message: String) {
        self.message = message
        let word = message.split(separator: " ").first.map(String.init) ?? ""
        let named = Kind(rawValue: word.lowercased())
        let isWord = word.utf8.allSatisfy { (0x41...0x5A).contains($0) }
        switch word {
        case "ERR" where message.hasPrefix("ERR max number of clients"): kind = .maxclients
        case "ERR" where message.hasPrefix("ERR unknown command"): kind = .unknown
        case "ERR" where message.hasPrefix("ERR AUTH <password> called without any"):
            kind = .wrongpass
        default: kind = isWord ? named ?? .other : .other
        }
    }

    /// Whether the connection is of no more use: another server must be found, or a login repeated.
    var needsNewConnection: Bool {
        switch kind {
        case .readonly, .noauth, .masterdown, .maxclients, .denied: true
        default: false
        }
    }

    /// What an operator can do next.
    package var advice: String {
        switch kind {
        case .loading: "it reads its data from disk after a start; this passes by itself"
        case .oom: "raise maxmemory, or find out what fills it besides weir:meter:*"
        case .readonly: "redis.url leads to a replica; it must lead to the primary"
        case .noscript: "a script was flushed; weir uses none, so something in between does"
        case .noauth: "the server asks for a password: put user and password into redis.url"
        case .wrongpass: "user or password in redis.url is wrong, or the user is disabled"
        case .noperm: "the ACL of the user in redis.url lacks this command or key"
        case .moved, .ask, .clusterdown, .tryagain:
            "redis.url leads to a node of a cluster, whose redirections are not followed; "
                + "use a single server, or a proxy of the cluster"
        case .busy: "a script or module blocks the server; SCRIPT KILL or FUNCTION KILL ends it"
        case .misconf: "the server cannot write to its disk; see its log and the free space"
        case .masterdown: "this replica has lost its primary; redis.url must lead to the primary"
        case .noreplicas: "too few replicas are connected for min-replicas-to-write"
        case .denied: "protected mode: set a password, or bind the server to this network"
        case .nogroup, .busygroup, .unblocked:
            "the consumer group changed meanwhile; it is made again"
        case .wrongtype: "another program uses a key of weir's; remove or rename it"
        case .maxclients: "raise maxclients, or close connections of others"
        case .unknown: "the server does not know the command; weir needs Redis 6.2 or newer"
        case .other: "see the server's log"
        }
    }
}

extension RedisRefusal: CustomStringConvertible {
    package var description: String { "\(message) (\(advice))" }
}
