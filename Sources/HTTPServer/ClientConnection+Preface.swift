import HTTP2
import Reactor
import StreamBytes

extension ClientConnection {
    /// Decides by the first bytes which version is spoken (RFC 9113, section 3.3).
    func lookForPreface(_ bytes: ArraySlice<UInt8>) {
        let start = (preface ?? []) + bytes
        guard HTTP2Session.preface.starts(with: start.prefix(HTTP2Session.preface.count)) else {
            preface = nil
            unread = start
            return
        }
        guard start.count >= HTTP2Session.preface.count else {
            if preface == [] { setDeadline(executor.now + registry.configuration.headTimeout) }
            preface = start
            return
        }
        becomeHTTP2(unread: start)
    }

    /// Gives the socket to an actor that speaks HTTP/2 on it.
    func becomeHTTP2(unread: [UInt8]) {
        guard let socket else { return }
        let passed = socket.detach(unread: unread)
        release()
        _ = HTTP2Connection(
            socket: passed,
            on: executor,
            isSecure: isSecure,
            handler: handler,
            registry: registry
        )
    }
}
