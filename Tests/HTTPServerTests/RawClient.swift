import Glibc
import Reactor

/// A client that is nothing but a socket.
final class RawClient {
    private var descriptor: Int32
    private var received = ""
    private var hasEnded = false

    init(_ address: SocketAddress) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var raw = sockaddr_in()
        raw.sin_family = sa_family_t(AF_INET)
        raw.sin_port = address.port.bigEndian
        raw.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        let outcome = unsafe withUnsafePointer(to: &raw) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard outcome == 0 else { throw SocketError.refused }
        _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
    }

    deinit { close() }

    /// Sends a text that fits into the kernel's buffer.
    func send(_ text: String) {
        let bytes = Array(text.utf8)
        _ = unsafe Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
    }

    func endSending() { _ = shutdown(descriptor, Int32(SHUT_WR)) }

    func close() {
        if descriptor >= 0 { _ = Glibc.close(descriptor) }
        descriptor = -1
    }

    func reset() {
        var option = linger(l_onoff: 1, l_linger: 0)
        let size = socklen_t(MemoryLayout<linger>.size)
        _ = unsafe setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &option, size)
        close()
    }

    /// Whether `text` comes in time; what came up to it is forgotten.
    func receives(_ text: String) async -> Bool {
        await eventually {
            self.read()
            guard let found = self.received.ranges(of: text).first else { return false }
            self.received = String(self.received[found.upperBound...])
            return true
        }
    }

    /// Whether the server ends its sending in time.
    func isEnded() async -> Bool {
        await eventually {
            self.read()
            return self.hasEnded
        }
    }

    private func read() {
        var buffer = [UInt8](repeating: 0, count: 4_096)
        while !hasEnded {
            let count = unsafe recv(descriptor, &buffer, buffer.count, 0)
            guard count >= 0 else {
                hasEnded = errno != EAGAIN
                return
            }
            hasEnded = count == 0
            received += String(decoding: buffer[..<count], as: UTF8.self)
        }
    }
}
