import Metering
import StreamBytes

/// A gateway as the others know it.
package struct FleetMember: Sendable {
    package let id: String
    /// When it last told something.
    package let lastSeen: WallTime
    /// Nil when that is too long ago.
    package let figures: GatewayFigures?

    package init(id: String, lastSeen: WallTime, figures: GatewayFigures?) {
        self.id = id
        self.lastSeen = lastSeen
        self.figures = figures
    }
}

/// All gateways that share one Redis.
package protocol GatewayFleet: Sendable {
    /// What this gateway is called.
    var ownID: String { get }

    /// Every gateway that was seen in the last days, this one included once it has told something.
    ///
    /// - Throws: why they cannot be asked now.
    func members() async throws -> [FleetMember]
}

/// The body of `stats?scope=all`.
struct FleetStats {
    private var sum = GatewayFigures()
    private var heard: [(id: String, lastSeen: WallTime, open: Int64)] = []
    private var unheard: [(id: String, lastSeen: WallTime)] = []
    private var problem: String?

    /// - Parameters:
    ///   - own: this gateway's figures, as they are now.
    ///   - id: this gateway.
    ///   - now: when that is.
    init(own: GatewayFigures, id: String, at now: WallTime) {
        sum = own
        heard = [(id, now, own.values["open"] ?? 0)]
    }

    mutating func add(_ others: [FleetMember]) {
        for other in others where other.id != heard[0].id {
            if let figures = other.figures {
                sum.add(figures)
                heard.append((other.id, other.lastSeen, figures.values["open"] ?? 0))
            } else {
                unheard.append((other.id, other.lastSeen))
            }
        }
    }

    /// The others are not known, and why.
    mutating func note(problem: String) { self.problem = problem }

    var json: [UInt8] {
        var json = JSONObjectWriter()
        sum.writeStats(to: &json)
        json.add(
            "gateways",
            raw: jsonArray(
                heard.sorted { $0.id < $1.id }.map { gateway in
                    var json = JSONObjectWriter()
                    json.add("id", gateway.id)
                    json.add("lastSeen", gateway.lastSeen.text)
                    json.add("open", gateway.open)
                    return json.bytes
                }
            )
        )
        json.add(
            "notHeard",
            raw: jsonArray(
                unheard.sorted { $0.id < $1.id }.map { gateway in
                    var json = JSONObjectWriter()
                    json.add("id", gateway.id)
                    json.add("lastSeen", gateway.lastSeen.text)
                    return json.bytes
                }
            )
        )
        if let problem { json.add("problem", problem) }
        return json.bytes
    }
}
