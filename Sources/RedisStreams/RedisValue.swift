/// One reply of a Redis server.
package enum RedisValue: Sendable, Equatable {
    case null
    /// A short reply such as `OK`.
    case status(String)
    /// A refusal; its first word is the kind, such as `NOGROUP`.
    case error(String)
    case integer(Int64)
    case bytes([UInt8])
    case array([RedisValue])

    /// The text of a status or of bytes, repaired where it is no UTF-8.
    package var text: String? {
        switch self {
        case .status(let text): text
        case .bytes(let bytes): String(decoding: bytes, as: UTF8.self)
        default: nil
        }
    }

    package var integer: Int64? {
        guard case .integer(let value) = self else { return nil }
        return value
    }

    /// The elements of an array; none for anything else.
    package var elements: [RedisValue] {
        guard case .array(let elements) = self else { return [] }
        return elements
    }

    /// The value after `name` in a flat list of names and values.
    func member(_ name: String) -> RedisValue? {
        let elements = elements
        for place in stride(from: 0, to: elements.count - 1, by: 2)
        where elements[place].text == name {
            return elements[place + 1]
        }
        return nil
    }

    /// What the server refused; nil for any other reply.
    package var refusal: RedisRefusal? {
        guard case .error(let message) = self else { return nil }
        return RedisRefusal(message)
    }
}

/// Why a command has no reply.
package enum RedisError: Error, Equatable, Sendable {
    /// No connection was made before the deadline; the last reason, without secrets.
    case unavailable(String)
    /// The connection was lost after the command was sent: whether it was carried out is unknown.
    case connectionLost(String)
    /// No reply came before the deadline: whether it was carried out is unknown.
    case timedOut
    /// The server sent what is no reply, or a reply beyond the limits; outcome unknown.
    case protocolViolation(String)
    /// More is waiting than `RedisLimits.waitingByteLimit` allows; the command was not sent.
    case tooMuchWaiting
    /// The connection was closed on this side.
    case closed
    /// The server answered with an error.
    case refused(RedisRefusal)
}

extension RedisError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .unavailable(let reason): "no connection to Redis: \(reason)"
        case .connectionLost(let reason): "the connection to Redis was lost: \(reason)"
        case .timedOut: "Redis did not answer in time"
        case .protocolViolation(let reason): "Redis sent what is no reply: \(reason)"
        case .tooMuchWaiting: "too much waits for Redis already"
        case .closed: "the connection to Redis was closed here"
        case .refused(let refusal): "\(refusal)"
        }
    }

    /// The kind of failure, as metrics name it.
    package var label: String {
        switch self {
        case .unavailable: "unavailable"
        case .connectionLost: "lost"
        case .timedOut: "timeout"
        case .protocolViolation: "garbage"
        case .tooMuchWaiting: "backlog"
        case .closed: "closed"
        case .refused(let refusal): refusal.kind.rawValue
        }
    }
}

/// What happened on a connection since it was made.
package struct RedisCounts: Equatable, Sendable {
    /// How often a connection was opened, logging in included.
    package var opened = 0
    /// Failures by their label (`RedisError.label`): a refusal for each command, anything else once
    /// for each connection that it ended or kept from opening.
    package var failures: [String: Int] = [:]
    /// Why there is no connection now; nil while there is one, and before the first is needed.
    package var problem: String?

    package init() {}
}

/// What a connection to Redis may take and how long it waits.
package struct RedisLimits: Sendable {
    /// The time for connecting, logging in included.
    package var connectTimeout: Duration = .seconds(5)
    /// The first pause before connecting again, doubled after each failure.
    package var backoff: Duration = .milliseconds(50)
    package var longestBackoff: Duration = .seconds(2)
    /// The longest reply, in bytes as sent.
    package var replyByteLimit = 64 << 20
    /// The most values in a reply, those within arrays included.
    package var replyValueLimit = 1 << 20
    /// The most that may wait to be sent, in bytes.
    package var waitingByteLimit = 64 << 20

    package init() {}
}
