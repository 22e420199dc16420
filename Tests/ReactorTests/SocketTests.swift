import Glibc
import Reactor
import StreamBytes
import Testing

struct SocketTests {
    private let payload = (0..<3_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ $0 >> 9) }

    private func echo(through address: SocketAddress) async throws {
        try await withReactors { group in
            let acceptor = SideAcceptor(echoes: true)
            let bound = try group.listen(on: address, acceptor: acceptor)
            let client = Side(on: group.reactors[0])
            await client.connect(to: bound)
            await client.send(payload)
            #expect(await eventually { client.seen.bytes.count == payload.count })
            #expect(client.seen.bytes == payload)
            await client.with { $0.shutdownSending() }
            #expect(await eventually { acceptor.sides.first?.seen.end == .endOfStream })
            #expect(acceptor.sides.first?.seen.readiness.contains(.peerClosed) == true)
            await acceptor.closeAll()
            #expect(await eventually { client.seen.end == .endOfStream })
            await client.close()
        }
    }

    @Test func `bytes pass through IPv4 unchanged, and each side sees the end`() async throws {
        try await echo(through: anyPort)
    }

    @Test func `bytes pass through IPv6 unchanged`() async throws {
        try await echo(through: .v6(0, 1, port: 0))
    }

    @Test func `bytes pass through a Unix socket unchanged`() async throws {
        try await withTemporaryFolder { try await echo(through: .unix(path: "\($0)/s")) }
    }

    @Test func `the side that closed its sending still receives`() async throws {
        try await withReactors { group in
            let acceptor = SideAcceptor()
            let bound = try group.listen(on: anyPort, acceptor: acceptor)
            let client = Side(on: group.reactors[0])
            await client.connect(to: bound)
            #expect(await eventually { acceptor.sides.count == 1 })
            await client.with { $0.shutdownSending() }
            let server = try #require(acceptor.sides.first)
            #expect(await eventually { server.seen.end == .endOfStream })
            await server.send(Array("still here".utf8))
            #expect(await eventually { client.seen.bytes == Array("still here".utf8) })
            await client.close()
            await acceptor.closeAll()
        }
    }

    @Test func `a reader that stops makes writes short, and goes on where it stopped`() async throws
    {
        try await withReactors { group in
            let acceptor = SideAcceptor()
            let bound = try group.listen(on: anyPort, acceptor: acceptor)
            let client = Side(on: group.reactors[0])
            await client.connect(to: bound)
            #expect(await eventually { acceptor.sides.count == 1 })
            await client.pause(true)
            let server = try #require(acceptor.sides.first)
            let large = payload + payload + payload + payload
            await server.send(large)
            #expect(await eventually { server.seen.sent > 0 })
            #expect(server.seen.sent < large.count)
            await client.pause(false)
            #expect(await eventually { client.seen.bytes.count == large.count })
            #expect(client.seen.bytes == large)
            await client.close()
            await acceptor.closeAll()
        }
    }

    @Test func `a reset is told as one to reads and writes`() async throws {
        try await withReactors { group in
            let acceptor = SideAcceptor()
            let bound = try group.listen(on: anyPort, acceptor: acceptor)
            let client = Side(on: group.reactors[0])
            await client.connect(to: bound)
            #expect(await eventually { acceptor.sides.count == 1 })
            await client.with { $0.reset() }
            let server = try #require(acceptor.sides.first)
            #expect(await eventually { server.seen.end == .failed(.reset) })
            #expect(server.seen.readiness.contains(.hasFailed))
            let result = await server.with { $0.write([1, 2, 3].span) }
            #expect(result == .failed(.reset))
            await acceptor.closeAll()
        }
    }

    @Test func `a port where nobody listens refuses`() async throws {
        try await withReactors { group in
            // Bound and not listening, so that no other test gets the port meanwhile.
            let (holder, port) = try #require(bindWithoutListening())
            defer { Glibc.close(holder) }
            let address = SocketAddress.v4(0x7f00_0001, port: port)
            let client = Side(on: group.reactors[0])
            await client.connect(to: address)
            #expect(
                await eventually {
                    client.seen.failure == .refused || client.seen.end == .failed(.refused)
                }
            )
            await client.close()
        }
    }

    @Test func `a missing Unix socket and a path that is too long are told at once`() async throws {
        try await withReactors { group in
            let client = Side(on: group.reactors[0])
            await client.connect(to: .unix(path: "/nowhere/at/all"))
            #expect(client.seen.failure == .system(ENOENT))
            let long = Side(on: group.reactors[0])
            await long.connect(to: .unix(path: "/" + String(repeating: "x", count: 200)))
            #expect(long.seen.failure == .system(ENAMETOOLONG))
        }
    }

    @Test func `a socket answers sensibly after close, and close may be repeated`() async throws {
        try await withReactors { group in
            let bound = try group.listen(on: anyPort, acceptor: SideAcceptor())
            let client = Side(on: group.reactors[0])
            await client.connect(to: bound)
            let results = await client.with { socket in
                socket.close()
                socket.close()
                socket.reset()
                socket.shutdownSending()
                var buffer: [UInt8] = [0]
                return (socket.read(into: &buffer), socket.write([1].span), socket.statistics())
            }
            #expect(results?.0 == .failed(.system(EBADF)))
            #expect(results?.1 == .failed(.system(EBADF)))
            #expect(results?.2 == nil)
            #expect(client.seen.bytes == [])
        }
    }

    @Test func `a connection moves to another reactor with its unread bytes first`() async throws {
        try await withReactors(2) { group in
            let acceptor = SideAcceptor()
            let bound = try group.listen(on: anyPort, acceptor: acceptor)
            let client = Side(on: group.reactors[0])
            await client.connect(to: bound)
            await client.send(Array("GET".utf8))
            #expect(await eventually { acceptor.sides.first?.seen.bytes == Array("GET".utf8) })
            let server = try #require(acceptor.sides.first)
            let other = group.reactors[1 - server.executor.index]
            let moved = Side(on: other)
            await server.with { socket in
                let passed = Guarded<PassedSocket?>(socket.detach(unread: Array("GET".utf8)))
                other.perform {
                    let socket = passed.withLock { $0.take() }
                    if let socket { moved.take(other.adopt(socket, handler: moved)) }
                }
            }
            #expect(await eventually { moved.seen.bytes == Array("GET".utf8) })
            await client.send(Array(" /".utf8))
            #expect(await eventually { moved.seen.bytes == Array("GET /".utf8) })
            let peers = await moved.with { ($0.peer, $0.local) }
            #expect(peers?.0 == (await client.with { $0.local }))
            #expect(peers?.1 == bound)
            await moved.close()
            await client.close()
        }
    }

    @Test func `a connection that could not be adopted moves on, and has failed`() async throws {
        try await withReactors(2) { group in
            let first = Side(on: group.reactors[0])
            let second = Side(on: group.reactors[1])
            await first.executor.run {
                let broken = PassedSocket(
                    descriptor: -1,
                    peer: .unix(path: "/peer"),
                    local: .unix(path: ""),
                    unread: Array("GET".utf8)
                )
                let adopted = first.executor.adopt(broken, handler: first)
                let passed = Guarded<PassedSocket?>(adopted.detach(unread: []))
                second.executor.perform {
                    let socket = passed.withLock { $0.take() }
                    if let socket { second.take(second.executor.adopt(socket, handler: second)) }
                }
            }
            #expect(await eventually { second.seen.readiness.contains(.hasFailed) })
            #expect(await second.with { $0.peer } == .unix(path: "/peer"))
            guard case .failed = second.seen.end else {
                Issue.record("\(String(describing: second.seen.end))")
                return
            }
        }
    }

    @Test func `the kernel's figures of a connection can be asked for`() async throws {
        try await withReactors { group in
            let acceptor = SideAcceptor(echoes: true)
            let bound = try group.listen(on: anyPort, acceptor: acceptor)
            let client = Side(on: group.reactors[0])
            await client.connect(to: bound)
            await client.send(Array("ping".utf8))
            #expect(await eventually { client.seen.bytes.count == 4 })
            let statistics = try #require(await client.with { $0.statistics() } ?? nil)
            #expect(statistics.bytesAcknowledged >= 4)
            #expect(statistics.roundTripMicroseconds > 0)
            await client.close()
            await acceptor.closeAll()
        }
    }
}

private func bindWithoutListening() -> (descriptor: Int32, port: UInt16)? {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let outcome = unsafe withUnsafeMutablePointer(to: &address) {
        unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { raw in
            guard unsafe bind(descriptor, raw, length) == 0 else { return Int32(-1) }
            return unsafe getsockname(descriptor, raw, &length)
        }
    }
    return outcome == 0 ? (descriptor, UInt16(bigEndian: address.sin_port)) : nil
}
