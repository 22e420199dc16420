import HTTP2
import HTTPWire
import Reactor

// A stream of a connection that is shared: what its session tells, on its reactor.
extension ProviderLink {
    /// How often a request is put on another connection because one did not take it.
    private static let refusalLimit = 3

    func join(_ session: ProviderSession) {
        guard let request else { return }
        outgoing = []
        guard let stream = session.open(request, for: self) else {
            // Between its having room and now it has been told to end.
            return wasNotTaken()
        }
        self.session = session
        self.stream = stream
        state = .awaitingHead
        wait(atMost: timeouts.firstByte)
    }

    nonisolated func answered(_ head: HTTP2Head) {
        assumeIsolated { $0.take(head) }
    }

    private func take(_ head: HTTP2Head) {
        guard let status = head.status, state == .awaitingHead, status >= 200 else { return }
        if head.isTooLarge { return fail(.badAnswer(HTTPError.headTooLarge.reason)) }
        wait(atMost: timeouts.silence)
        state = .receiving
        request = nil
        receiver?.providerAnswered(ResponseHead(status: status, fields: head.fields))
    }

    /// Passes bytes on.
    ///
    /// - Returns: false if the link is held back; they are then to be kept for it.
    nonisolated func received(_ bytes: [UInt8], _ range: Range<Int>) -> Bool {
        assumeIsolated { link in
            guard link.state == .receiving else { return true }
            link.wait(atMost: link.timeouts.silence)
            guard !link.isPaused else { return false }
            link.receiver?.providerSent(bytes, range)
            return true
        }
    }

    /// Passes on what was kept.
    nonisolated func handedOut(_ bytes: [UInt8]) {
        assumeIsolated { link in
            guard link.state == .receiving else { return }
            link.receiver?.providerSent(bytes, 0..<bytes.count)
            if link.state == .receiving { link.receiver?.providerReadEnded() }
        }
    }

    nonisolated func readEnded() {
        assumeIsolated { if $0.state == .receiving { $0.receiver?.providerReadEnded() } }
    }

    /// The stream is over; its session has forgotten it.
    nonisolated func streamEnded(_ end: StreamEnd) {
        assumeIsolated { $0.take(end) }
    }

    private func take(_ end: StreamEnd) {
        guard state == .awaitingHead || state == .receiving else { return }
        session = nil
        switch end {
        case .notTaken where state == .awaitingHead: return wasNotTaken()
        case .lostUnanswered where state == .awaitingHead && !isReused:
            isReused = true
            return again()
        case .complete where state == .receiving:
            let receiver = self.end()
            close()
            receiver?.providerEnded(.complete)
        default:
            guard state == .receiving else { return fail(.noAnswer) }
            let receiver = self.end()
            close()
            receiver?.providerEnded(.truncated)
        }
    }

    /// The provider has not looked at the request: another connection may.
    private func wasNotTaken() {
        refusedCount += 1
        guard refusedCount <= Self.refusalLimit else { return fail(.noAnswer) }
        again()
    }

    private func again() {
        guard let request else { return fail(.noAnswer) }
        do throws(HTTPError) {
            // The next connection may be one of HTTP/1.1.
            outgoing = try request.encoded()
        } catch {
            return fail(.unsendable)
        }
        open()
    }
}

/// How a stream ended, for its link.
enum StreamEnd {
    case complete
    /// The provider says that it has done nothing with the request.
    case notTaken
    /// The connection was kept from earlier requests, and ended before anything came on it.
    case lostUnanswered
    case broken
}

extension ProviderRequest {
    /// The request's fields in HTTP/2.
    ///
    /// - Throws: `unsendable`.
    func http2Fields() throws(HTTPError) -> [(String, String)] {
        var list = [
            (":method", "POST"), (":scheme", endpoint.isSecure ? "https" : "http"),
            (":authority", endpoint.authority), (":path", path),
        ]
        list += try fields.http2Fields()
        list.append(("accept-encoding", "identity"))
        list.append(("content-length", "\(body.count)"))
        return list
    }
}

extension ProviderEndpoint {
    /// Whether the connection is one of HTTP/2.
    func speaksHTTP2(_ negotiated: ApplicationProtocol?) -> Bool {
        switch http2 {
        case .never: false
        case .negotiated: negotiated == .http2
        case .priorKnowledge: negotiated != .http1
        }
    }

    var security: ClientSecurity? {
        guard isSecure else { return nil }
        let protocols: [ApplicationProtocol] =
            switch http2 {
            case .never: [.http1]
            case .negotiated: [.http2, .http1]
            case .priorKnowledge: [.http2]
            }
        return ClientSecurity(
            serverName: host,
            authorityFile: authorityFile,
            protocols: protocols
        )
    }
}
