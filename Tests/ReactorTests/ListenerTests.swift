import Glibc
import Reactor
import StreamBytes
import Testing

struct ListenerTests {
    @Test func `a port that another group holds is an error that names it`() async throws {
        try await withReactors(2) { first in
            let bound = try first.listen(on: anyPort, acceptor: SideAcceptor())
            try await withReactors(2) { second in
                let error = #expect(throws: ListenError.self) {
                    try second.listen(on: bound, acceptor: SideAcceptor())
                }
                #expect(error == .failed(bound, .addressInUse))
                #expect(error?.description == "cannot listen on \(bound): address already in use")
                try second.listen(on: bound, sharePort: true, acceptor: SideAcceptor())
            }
        }
    }

    @Test func `placement keeps reactors even when the kernel does not`() async throws {
        try await withReactors(2) { group in
            let acceptor = SideAcceptor()
            let bound = try group.listen(on: anyPort, acceptor: acceptor)
            var clients: [Side] = []
            for _ in 0..<200 {
                let client = Side(on: group.reactors[0])
                await client.connect(to: bound)
                clients.append(client)
            }
            #expect(await eventually { acceptor.sides.count == 200 })
            let first = acceptor.sides.filter { $0.executor.index == 0 }.count
            #expect((84...116).contains(first), "\(first) of 200 on the first reactor")
            for client in clients { await client.close() }
            await acceptor.closeAll()
        }
    }

    @Test func `a Unix listener spreads over the reactors too`() async throws {
        try await withTemporaryFolder { folder in
            try await withReactors(2) { group in
                let acceptor = SideAcceptor()
                let bound = try group.listen(on: .unix(path: "\(folder)/s"), acceptor: acceptor)
                var clients: [Side] = []
                for _ in 0..<60 {
                    let client = Side(on: group.reactors[0])
                    await client.connect(to: bound)
                    clients.append(client)
                }
                #expect(await eventually { acceptor.sides.count == 60 })
                #expect(acceptor.sides.filter { $0.executor.index == 1 }.count >= 20)
                for client in clients { await client.close() }
                await acceptor.closeAll()
            }
            #expect(unsafe access("\(folder)/s", F_OK) == -1)
        }
    }

    @Test func `a path left behind is taken over, a file or a living socket is not`() async throws {
        try await withTemporaryFolder { folder in
            let path = "\(folder)/s"
            let stale = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            unsafe withUnsafeMutableBytes(of: &address.sun_path) {
                unsafe $0.copyBytes(from: Array(path.utf8))
            }
            let outcome = unsafe withUnsafePointer(to: &address) {
                unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    unsafe bind(stale, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
                }
            }
            try #require(outcome == 0)
            Glibc.close(stale)
            let file = "\(folder)/file"
            Glibc.close(unsafe creat(file, 0o600))
            try await withReactors { group in
                try group.listen(on: .unix(path: path), acceptor: SideAcceptor())
                for taken in [path, file] {
                    #expect(throws: ListenError.failed(.unix(path: taken), .addressInUse)) {
                        try group.listen(on: .unix(path: taken), acceptor: SideAcceptor())
                    }
                }
            }
            #expect(unsafe access(file, F_OK) == 0)
        }
    }

    @Test func `a path that is too long is its own error`() throws {
        let path = "/" + String(repeating: "x", count: 107)
        let group = try ReactorGroup(count: 1)
        #expect(throws: ListenError.pathTooLong(path, limit: 107)) {
            try group.listen(on: .unix(path: path), acceptor: SideAcceptor())
        }
    }

    @Test func `a privileged or foreign address names its cause`() throws {
        let group = try ReactorGroup(count: 1)
        let foreign = SocketAddress.v4(0xc000_0201, port: 0)
        #expect(throws: ListenError.failed(foreign, .system(EADDRNOTAVAIL))) {
            try group.listen(on: foreign, acceptor: SideAcceptor())
        }
    }

    @Test func `addresses are written as in URLs`() {
        #expect(SocketAddress.v4(0x7f00_0001, port: 80).description == "127.0.0.1:80")
        #expect(SocketAddress.v6(0, 1, port: 80).description == "[::1]:80")
        #expect(SocketAddress.v6(0, 0, port: 1).description == "[::]:1")
        let full = SocketAddress(literal: "2001:db8:0:0:1:0:0:1", port: 443)
        #expect(full?.description == "[2001:db8::1:0:0:1]:443")
        #expect(
            SocketAddress(literal: "1:0:2:3:4:5:6:7", port: 1)?.description == "[1:0:2:3:4:5:6:7]:1"
        )
        #expect(SocketAddress(literal: "10.1.2.3", port: 9) == .v4(0x0a01_0203, port: 9))
        #expect(SocketAddress(literal: "localhost", port: 9) == nil)
    }
}
