import Dispatch
import Glibc
import Reactor
import StreamBytes
import TestSupport
import Testing
import TransportSecurity

/// Sends one byte to and fro and notes how many steps of handshakes were made meanwhile.
///
/// Proof for `@unchecked Sendable`: `socket` is set and used on the reactor; the rest is guarded.
private final class Rally: SocketHandler, @unchecked Sendable {
    private let reactor: ReactorThread
    private var socket: (any StreamSocket)?
    private var lastCount = 0
    private let noted = Guarded<[Int]>([])

    init(on reactor: ReactorThread) { self.reactor = reactor }

    /// The steps between two arrivals of the byte.
    var steps: [Int] { noted.withLock { $0 } }

    func connect(to address: SocketAddress) async {
        await reactor.run {
            self.socket = try? self.reactor.connect(to: address, security: nil, handler: self)
        }
    }

    func close() async { await reactor.run { self.socket?.close() } }

    func serve() { _ = socket?.write([UInt8(1)].span) }

    func socketIsReady(_ readiness: Readiness) {
        guard let socket else { return }
        var buffer = reactor.takeScratch()
        defer { reactor.returnScratch(buffer) }
        guard case .bytes = socket.read(into: &buffer) else { return }
        noted.withLock { $0.append(reactor.handshakeStepCount - lastCount) }
        lastCount = reactor.handshakeStepCount
        serve()
    }
}

/// A client that sends the first message of a handshake and nothing else.
private final class Opener {
    private let descriptor: Int32

    init(_ address: SocketAddress) throws {
        guard case .v4(let octets, let port) = address else { throw SocketError.unreachable }
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var name = sockaddr_in()
        name.sin_family = sa_family_t(AF_INET)
        name.sin_port = port.bigEndian
        name.sin_addr.s_addr = octets.bigEndian
        let outcome = unsafe withUnsafeBytes(of: &name) {
            unsafe connect(
                descriptor,
                $0.bindMemory(to: sockaddr.self).baseAddress,
                socklen_t($0.count)
            )
        }
        try #require(outcome == 0)
    }

    deinit { close(descriptor) }

    func send(_ bytes: [UInt8]) {
        #expect(unsafe write(descriptor, bytes, bytes.count) == bytes.count)
    }

    /// What a client of TLS says first.
    static func clientHello() throws -> [UInt8] {
        var pair: [Int32] = [-1, -1]
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        try #require(unsafe socketpair(AF_UNIX, kind, 0, &pair) == 0)
        defer { for descriptor in pair { close(descriptor) } }
        let context = try SecurityContext(trustingSystemAnd: nil, protocols: ["http/1.1"])
        var session = try SecuritySession(context, connectingTo: "good.example", on: pair[0])
        #expect(session.handshake() == .wouldBlock)
        var bytes = [UInt8](repeating: 0, count: 4_096)
        let count = unsafe read(pair[1], &bytes, bytes.count)
        return Array(bytes.prefix(count))
    }
}

/// Makes each turn of a reactor a long one.
///
/// Proof for `@unchecked Sendable`: only the reactor's thread reaches its state.
private final class LongTurns: @unchecked Sendable {
    private let reactor: ReactorThread
    private(set) var turnCount = 0
    var isOver = false

    init(on reactor: ReactorThread) { self.reactor = reactor }

    func goOn() {
        guard !isOver else { return }
        turnCount += 1
        usleep(100_000)
        reactor.perform { self.goOn() }
    }
}

/// Handshakes beside running streams.
struct HandshakePacingTests {
    private static func security() throws -> ServerSecurity {
        let certificate = try TestCertificate("DNS:good.example")
        return try ServerSecurity(
            certificateFile: certificate.file,
            keyFile: certificate.keyFile
        )
    }

    @Test func `running streams are served while hundreds of handshakes wait`() async throws {
        let security = try Self.security()
        let hello = try Opener.clientHello()
        try await withReactors { group in
            let reactor = group.reactors[0]
            let secure = SecureAcceptor(security)
            let plain = SideAcceptor(echoes: true)
            let secureAddress = try group.listen(on: anyPort, acceptor: secure)
            let plainAddress = try group.listen(on: anyPort, acceptor: plain)
            let rally = Rally(on: reactor)
            await rally.connect(to: plainAddress)
            // All of them wait when the reactor goes on.
            let crowdIsThere = DispatchSemaphore(value: 0)
            reactor.perform { crowdIsThere.wait() }
            let crowd = try (0..<500).map { _ in try Opener(secureAddress) }
            for client in crowd { client.send(hello) }
            reactor.perform { rally.serve() }
            crowdIsThere.signal()

            #expect(await eventually { await reactor.run { reactor.handshakeStepCount } >= 500 })

            // To the other side and back takes two turns; those that took long made more steps.
            let steps = rally.steps.sorted()
            #expect(steps.count > 50)
            #expect(steps[steps.count / 2] <= 3)
            await rally.close()
            await secure.closeAll()
            await plain.closeAll()
        }
    }

    @Test func `long turns make more steps, so that clients get in beside a crowd of streams`()
        async throws
    {
        let security = try Self.security()
        let hello = try Opener.clientHello()
        try await withReactors { group in
            let reactor = group.reactors[0]
            let secure = SecureAcceptor(security)
            let address = try group.listen(on: anyPort, acceptor: secure)
            let load = LongTurns(on: reactor)
            reactor.perform { load.goOn() }
            let crowd = try (0..<100).map { _ in try Opener(address) }
            for client in crowd { client.send(hello) }

            #expect(await eventually { await reactor.run { reactor.handshakeStepCount } >= 100 })

            #expect(await reactor.run { load.turnCount } < 50)
            await reactor.run { load.isOver = true }
            await secure.closeAll()
        }
    }

    @Test func `a crowd of clients does not hold up connections to providers`() {
        var queue = HandshakeQueue<Int>()
        for number in 1...4 { queue.append(number, isAccepted: true) }
        queue.append(-1, isAccepted: false)
        queue.append(-2, isAccepted: false)

        var order: [Int] = []
        while let next = queue.next() { order.append(next) }

        #expect(order == [1, -1, 2, -2, 3, 4])
        #expect(queue.isEmpty)
    }

    @Test func `thousands keep their order`() {
        var queue = HandshakeQueue<Int>()
        var order: [Int] = []
        for number in 0..<10_000 {
            queue.append(number, isAccepted: true)
            if number.isMultiple(of: 3), let next = queue.next() { order.append(next) }
        }
        while let next = queue.next() { order.append(next) }
        #expect(order == Array(0..<10_000))
    }
}
