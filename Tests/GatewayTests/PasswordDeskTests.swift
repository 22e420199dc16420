import Cryptography
import Gateway
import Sealing
import StreamBytes
import Testing

struct PasswordDeskTests {
    private let start = MonotonicTime(nanoseconds: 0)
    private let key: PasswordKey

    init() {
        // The tests need any key: one is enough.
        key = PasswordKey(password: Self.password("p"), salt: [1])
    }

    private static func password(_ text: String) -> SecretBytes {
        let bytes = Array(text.utf8)
        return SecretBytes(bytes.span)
    }

    private func ticket(_ answer: PasswordDesk.Answer) throws -> PasswordDesk.Ticket {
        guard case .wait(let ticket) = answer else {
            throw Unexpected(description: "\(answer)")
        }
        return ticket
    }

    private func job(
        of desk: inout PasswordDesk,
        limit: Int
    ) throws -> PasswordDesk.Job {
        let job = desk.begin(limit: limit)
        return try #require(job)
    }

    private struct Unexpected: Error, CustomStringConvertible { let description: String }

    @Test func `a key is made once, however many ask for it`() throws {
        var desk = PasswordDesk()
        let first = try ticket(desk.ask("acme", Self.password("p"), at: start))
        let second = try ticket(desk.ask("acme", Self.password("p"), at: start))
        let job = try job(of: &desk, limit: 2)

        #expect(first == second)
        #expect(job.ticket == first)
        let another = desk.begin(limit: 2)
        #expect(another == nil)
        desk.end(job, key)
        guard case .ready(let made) = desk.ask("acme", Self.password("p"), at: start) else {
            Issue.record("the key is not there")
            return
        }
        #expect(made === key)
    }

    @Test func `two are made at a time, the others in their order`() throws {
        var desk = PasswordDesk()
        for account in ["a", "b", "c", "d"] { _ = desk.ask(account, Self.password("p"), at: start) }

        let first = try job(of: &desk, limit: 2)
        let second = try job(of: &desk, limit: 2)
        let another = desk.begin(limit: 2)
        #expect(another == nil)
        desk.end(second, key)
        let third = try job(of: &desk, limit: 2)

        #expect([first, second, third].map(\.ticket.account) == ["a", "b", "c"])
        #expect(first.place != second.place)
        #expect(third.place == second.place)
    }

    @Test func `a key serves a day, and then one with another salt`() throws {
        var desk = PasswordDesk()
        let old = try ticket(desk.ask("acme", Self.password("p"), at: start))
        let job = try job(of: &desk, limit: 1)
        desk.end(job, key)

        let before = desk.ask("acme", Self.password("p"), at: start + .seconds(86_399))
        let after = desk.ask("acme", Self.password("p"), at: start + .seconds(86_400))

        guard case .ready = before else {
            Issue.record("\(before)")
            return
        }
        let new = try ticket(after)
        #expect(new != old)
    }

    @Test func `a changed password has a key of its own, and who waits gets the old one`() throws {
        var desk = PasswordDesk()
        let old = try ticket(desk.ask("acme", Self.password("old"), at: start))
        let new = try ticket(desk.ask("acme", Self.password("new"), at: start))
        let first = try job(of: &desk, limit: 2)
        let second = try job(of: &desk, limit: 2)

        #expect([first.ticket, second.ticket] == [old, new])
        #expect(first.password == Self.password("old"))
        desk.end(first, key)
        let again = try ticket(desk.ask("acme", Self.password("new"), at: start))
        #expect(again == new)
    }

    @Test func `one that could not be made is tried again by the next who asks`() throws {
        var desk = PasswordDesk()
        let first = try ticket(desk.ask("acme", Self.password("p"), at: start))
        let job = try job(of: &desk, limit: 1)
        desk.end(job, nil)

        let second = try ticket(desk.ask("acme", Self.password("p"), at: start))
        #expect(second != first)
    }

    @Test func `so many wait and no more`() throws {
        var desk = PasswordDesk()
        for number in 0..<PasswordDesk.queueLimit {
            _ = try ticket(desk.ask("a\(number)", Self.password("p"), at: start))
        }
        guard case .busy = desk.ask("another", Self.password("p"), at: start) else {
            Issue.record("the queue is too long")
            return
        }
        var waiting = PasswordDesk.queueLimit
        while case .wait = desk.ask("a0", Self.password("p"), at: start) { waiting += 1 }
        #expect(waiting == PasswordDesk.waiterLimit)

        let job = try job(of: &desk, limit: 1)
        desk.end(job, key)
        _ = try ticket(desk.ask("another", Self.password("p"), at: start))
    }
}
