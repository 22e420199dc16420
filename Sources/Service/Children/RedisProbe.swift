import Glibc

/// Asks a Redis on a Unix socket whether it serves; blocks for at most two seconds.
enum RedisProbe {
    enum Answer {
        case ready
        /// It reads its file.
        case loading
        case silent
    }

    static func ask(_ path: String) -> Answer {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return .silent }
        defer { close(descriptor) }
        var limit = timeval(tv_sec: 1, tv_usec: 0)
        let size = socklen_t(MemoryLayout<timeval>.size)
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, size)
        unsafe setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &limit, size)
        guard connect(descriptor, to: path),
            (try? Files.writeAll(Array("PING\r\n".utf8), to: descriptor)) != nil
        else { return .silent }
        var answer = [UInt8](repeating: 0, count: 256)
        let count = unsafe read(descriptor, &answer, answer.count)
        let text = String(decoding: answer.prefix(max(0, count)), as: UTF8.self)
        if text.hasPrefix("+PONG") { return .ready }
        return text.hasPrefix("-LOADING") ? .loading : .silent
    }

    static func connect(_ descriptor: Int32, to path: String) -> Bool {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        guard bytes.count <= RedisPlace.socketPathLimit else { return false }
        unsafe withUnsafeMutableBytes(of: &address.sun_path) { unsafe $0.copyBytes(from: bytes) }
        return unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                unsafe Glibc.connect(
                    descriptor,
                    pointer,
                    socklen_t(MemoryLayout<sockaddr_un>.size)
                ) == 0
            }
        }
    }
}
