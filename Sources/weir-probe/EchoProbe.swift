import Glibc
import HTTPServer
import Reactor

/// `weir-probe echo`: the gateway's HTTP server with routes that need no provider.
enum EchoProbe {
    /// Serves until SIGTERM or SIGINT, then drains; a second signal ends at once.
    ///
    /// - Returns: the exit status.
    static func run(_ arguments: [String]) -> Int32 {
        guard let options = EchoOptions(parsing: arguments) else {
            print("usage: weir-probe echo --listen HOST:PORT [--tls CERTIFICATE KEY]")
            return 2
        }
        let signals = StopSignals()
        do {
            try serve(options, until: signals)
            return 0
        } catch {
            print("weir-probe: \(error)")
            return 1
        }
    }

    private static func serve(_ options: EchoOptions, until signals: StopSignals) throws {
        let security = try options.certificate.map {
            try ServerSecurity(certificateFile: $0.file, keyFile: $0.keyFile)
        }
        let group = try ReactorGroup()
        try group.start()
        var configuration = ServerConfiguration()
        configuration.securityFields = SecurityFields()
        let registry = ConnectionRegistry(
            configuration: configuration,
            reactorCount: group.reactors.count
        )
        let acceptor = EchoAcceptor(registry: registry, security: security)
        let bound: SocketAddress
        do {
            bound = try group.listen(on: options.address, acceptor: acceptor)
        } catch {
            group.stop()
            throw error
        }
        print("listening on \(bound)")
        fflush(nil)
        signals.wait()
        group.stopListening()
        registry.drain()
        group.stop(within: .seconds(10))
    }
}

/// Where `weir-probe echo` listens, and how.
private struct EchoOptions {
    let address: SocketAddress
    /// Nil: plain HTTP.
    let certificate: (file: String, keyFile: String)?

    init?(parsing arguments: [String]) {
        guard arguments.count >= 2, arguments[0] == "--listen",
            let address = Self.address(arguments[1])
        else { return nil }
        self.address = address
        switch arguments.count {
        case 2: certificate = nil
        case 5 where arguments[2] == "--tls": certificate = (arguments[3], arguments[4])
        default: return nil
        }
    }

    private static func address(_ text: String) -> SocketAddress? {
        guard let colon = text.lastIndex(of: ":"),
            let port = UInt16(text[text.index(after: colon)...])
        else { return nil }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
        return SocketAddress(literal: host == "localhost" ? "127.0.0.1" : String(host), port: port)
    }
}

/// The signals that ask a program to stop, held back so that one thread can wait for them.
private struct StopSignals {
    private var signals = sigset_t()

    /// Call before any other thread starts: threads inherit what is held back.
    init() {
        unsafe sigemptyset(&signals)
        unsafe sigaddset(&signals, SIGTERM)
        unsafe sigaddset(&signals, SIGINT)
        unsafe pthread_sigmask(SIG_BLOCK, &signals, nil)
    }

    /// Waits for the first and lets the next one end the program.
    func wait() {
        var signals = signals
        var number: Int32 = 0
        unsafe sigwait(&signals, &number)
        unsafe pthread_sigmask(SIG_UNBLOCK, &signals, nil)
    }
}

/// Gives accepted connections to the server.
private struct EchoAcceptor: ConnectionAcceptor {
    let registry: ConnectionRegistry
    let security: ServerSecurity?

    func accept(_ socket: consuming PassedSocket, on executor: any StreamExecutor) {
        registry.accept(socket, on: executor, security: security, handler: EchoHandler())
    }
}
