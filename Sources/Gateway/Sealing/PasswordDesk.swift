import Cryptography
import Sealing
import StreamBytes

/// Which accounts' keys are there, are being made, and wait to be made.
///
/// A value that is told what happened; who owns it makes the keys.
package struct PasswordDesk: Sendable {
    /// One making of one account's key.
    package struct Ticket: Hashable, Sendable {
        package let account: String
        let number: UInt64
    }

    package enum Answer: Sendable {
        case ready(PasswordKey)
        /// It is made, or will be.
        case wait(Ticket)
        /// Too many wait.
        case busy
    }

    /// A key to be made now.
    package struct Job: Sendable {
        package let ticket: Ticket
        package let password: SecretBytes
        /// Which of the workers makes it, from 0.
        package let place: Int
    }

    /// How long a key, and with it the salt, is used.
    package static let life = Duration.seconds(86_400)
    /// The most keys that wait to be made.
    package static let queueLimit = 64
    /// The most requests that wait for keys.
    package static let waiterLimit = 1_000

    private struct Entry {
        let ticket: Ticket
        let password: SecretBytes
        let askedAt: MonotonicTime
        /// Nil while it waits or is made.
        var key: PasswordKey?
    }

    private var entries: [String: Entry] = [:]
    private var queue: [(ticket: Ticket, password: SecretBytes)] = []
    private var busyPlaces: Set<Int> = []
    private var waiterCounts: [Ticket: Int] = [:]
    private var waiterCount = 0
    private var lastNumber: UInt64 = 0

    package init() {}

    /// Asks for an account's key.
    ///
    /// - Parameters:
    ///   - account: whose.
    ///   - password: the account's; after a change, a key is made anew.
    ///   - now: keys that are too old are made anew, too.
    /// - Returns: the key, or what to wait for.
    package mutating func ask(
        _ account: String,
        _ password: SecretBytes,
        at now: MonotonicTime
    ) -> Answer {
        if let entry = entries[account], entry.password == password {
            guard let key = entry.key else { return wait(for: entry.ticket) }
            if now < entry.askedAt + Self.life { return .ready(key) }
        }
        guard queue.count < Self.queueLimit, waiterCount < Self.waiterLimit else { return .busy }
        lastNumber += 1
        let ticket = Ticket(account: account, number: lastNumber)
        entries[account] = Entry(ticket: ticket, password: password, askedAt: now)
        queue.append((ticket, password))
        return wait(for: ticket)
    }

    private mutating func wait(for ticket: Ticket) -> Answer {
        guard waiterCount < Self.waiterLimit else { return .busy }
        waiterCount += 1
        waiterCounts[ticket, default: 0] += 1
        return .wait(ticket)
    }

    /// Takes the key that shall be made next.
    ///
    /// - Parameter limit: how many are made at a time.
    /// - Returns: nil when none waits, or enough are being made.
    package mutating func begin(limit: Int) -> Job? {
        guard let place = (0..<limit).first(where: { !busyPlaces.contains($0) }),
            !queue.isEmpty
        else { return nil }
        let next = queue.removeFirst()
        busyPlaces.insert(place)
        return Job(ticket: next.ticket, password: next.password, place: place)
    }

    /// Notes that a key was made; nil: that it could not be.
    package mutating func end(_ job: Job, _ key: PasswordKey?) {
        busyPlaces.remove(job.place)
        waiterCount -= waiterCounts.removeValue(forKey: job.ticket) ?? 0
        guard entries[job.ticket.account]?.ticket == job.ticket else { return }
        if key == nil {
            entries[job.ticket.account] = nil
        } else {
            entries[job.ticket.account]?.key = key
        }
    }
}
