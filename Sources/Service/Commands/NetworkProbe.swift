import Glibc
import Reactor

/// Tries addresses from a thread that may wait.
enum NetworkProbe {
    /// How long one address may take to answer.
    private static let connectMilliseconds: Int32 = 3_000

    /// Connects to what a URL names, and to a Redis says hello.
    static func reach(_ url: ServiceURL) -> ConfigurationCheck.Outcome {
        if url.scheme == "unix" {
            return RedisProbe.ask(url.path) == .silent
                ? .fails("nothing answers at \(url.path)") : .works("answers at \(url.path)")
        }
        let ports = ["http": 80, "https": 443, "redis": 6_379, "rediss": 6_379]
        let port = url.port ?? UInt16(ports[url.scheme] ?? 5_432)
        let (addresses, failure) = unsafe resolve(url.host, port)
        guard let first = unsafe addresses else { return .fails("\(url.host): \(failure)") }
        defer { unsafe freeaddrinfo(first) }
        var last = "no address"
        var next: UnsafeMutablePointer<addrinfo>? = unsafe first
        while let address = unsafe next {
            let number = unsafe connect(address)
            if number == 0 { return .works("connects to \(url.host), port \(port)") }
            last = SystemError.text(number)
            unsafe next = address.pointee.ai_next
        }
        return .fails("\(url.host), port \(port): \(last)")
    }

    /// Sees whether an address can be listened on.
    static func bind(_ address: ListenAddress) -> ConfigurationCheck.Outcome {
        let host = address.host == "localhost" ? "127.0.0.1" : address.host
        let (addresses, failure) = unsafe resolve(host, address.port)
        guard let first = unsafe addresses else { return .fails(failure) }
        defer { unsafe freeaddrinfo(first) }
        let descriptor = unsafe open(first)
        guard descriptor >= 0 else { return .fails(SystemError.text(errno)) }
        defer { close(descriptor) }
        var reuse: Int32 = 1
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &reuse, 4)
        guard unsafe Glibc.bind(descriptor, first.pointee.ai_addr, first.pointee.ai_addrlen) == 0,
            Glibc.listen(descriptor, 1) == 0
        else { return .fails(SystemError.text(errno)) }
        return .works("free")
    }

    private static func resolve(
        _ host: String,
        _ port: UInt16
    ) -> (UnsafeMutablePointer<addrinfo>?, failure: String) {
        var hints = unsafe addrinfo()
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        unsafe hints.ai_flags = AI_NUMERICSERV
        var found: UnsafeMutablePointer<addrinfo>?
        let outcome = unsafe getaddrinfo(host, String(port), &hints, &found)
        guard outcome == 0 else {
            return unsafe (
                nil, gai_strerror(outcome).map { unsafe String(cString: $0) } ?? "unknown"
            )
        }
        return unsafe (found, "")
    }

    private static func open(_ address: UnsafeMutablePointer<addrinfo>) -> Int32 {
        let flags = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
        return unsafe socket(address.pointee.ai_family, flags, 0)
    }

    /// Returns 0 or the error's number.
    private static func connect(_ address: UnsafeMutablePointer<addrinfo>) -> Int32 {
        let descriptor = unsafe open(address)
        guard descriptor >= 0 else { return errno }
        defer { close(descriptor) }
        if unsafe Glibc.connect(descriptor, address.pointee.ai_addr, address.pointee.ai_addrlen)
            == 0
        {
            return 0
        }
        guard errno == EINPROGRESS else { return errno }
        var entry = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
        guard unsafe poll(&entry, 1, connectMilliseconds) == 1 else { return ETIMEDOUT }
        var number: Int32 = 0
        var size = socklen_t(4)
        unsafe getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &number, &size)
        return number
    }
}
