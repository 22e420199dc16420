import Reactor
import StreamBytes
import TestSupport

/// A provider on one connection: answers each request by its stream's script, piece by piece.
///
/// Proof for `@unchecked Sendable`: a simulation runs on one thread.
final class ScriptedProvider: TimerHandler, @unchecked Sendable {
    private let peer: SimulatedPeer
    private let script: (Int) -> StreamScript
    private let noteRequest: (Int) -> Void
    private var random: SeededChance
    private var input: [UInt8] = []
    private var pieces: [[UInt8]] = []
    private var ending: EndingOfConnection?
    private var timer: TimerID?

    enum EndingOfConnection { case keep, close, reset, silence }

    init(
        on peer: SimulatedPeer,
        random: SeededChance,
        script: @escaping (Int) -> StreamScript,
        noteRequest: @escaping (Int) -> Void
    ) {
        self.peer = peer
        self.random = random
        self.script = script
        self.noteRequest = noteRequest
        peer.onBytes = { [self] _, bytes in
            input += bytes
            takeRequest()
        }
        peer.onEnd = { [self] _ in stop() }
    }

    func timerFired(_ timer: TimerID) { sendNext() }

    /// Lets go of the connection, which otherwise keeps its provider, and that the connection.
    func forget() {
        peer.onBytes = nil
        peer.onEnd = nil
    }

    private func takeRequest() {
        let text = String(decoding: input, as: UTF8.self)
        guard let end = text.range(of: "\r\n\r\n"),
            let length = text.firstMatch(of: /[Cc]ontent-[Ll]ength: (\d+)/),
            let count = Int(length.1)
        else { return }
        let body = text[end.upperBound...]
        guard body.utf8.count >= count, let name = body.firstMatch(of: /stream-(\d+)/),
            let index = Int(name.1)
        else { return }
        input = []
        noteRequest(index)
        answer(script(index))
    }

    private func answer(_ script: StreamScript) {
        switch script.fate {
        case .refused(let status):
            let body = #"{"error":{"message":"no","type":"t","param":null,"code":null}}"#
            pieces = cut(
                "HTTP/1.1 \(status) X\r\nContent-Type: application/json\r\n"
                    + "Content-Length: \(body.utf8.count)\r\n\r\n" + body
            )
            ending = .keep
        case .noAnswer: ending = .close
        case .whole:
            pieces = cut(head + script.frames.map(chunk).joined() + "0\r\n\r\n")
            ending = .keep
        case .cut, .reset, .silent:
            pieces = cut(head + script.frames.map(chunk).joined())
            ending = script.ending
        }
        sendSoon()
    }

    private var head: String {
        "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
    }

    private func chunk(_ frame: String) -> String {
        String(frame.utf8.count, radix: 16) + "\r\n" + frame + "\r\n"
    }

    private func cut(_ text: String) -> [[UInt8]] {
        var rest = Array(text.utf8)[...]
        var pieces: [[UInt8]] = []
        while !rest.isEmpty {
            let count = min(rest.count, random.within(1...1_200))
            pieces.append(Array(rest.prefix(count)))
            rest = rest.dropFirst(count)
        }
        return pieces
    }

    private func sendSoon() {
        peer.executor.enter {
            let timer = timer ?? peer.executor.makeTimer(for: self)
            self.timer = timer
            let delay = Duration.microseconds(random.within(0...40_000))
            peer.executor.setTimer(timer, at: peer.executor.now + delay)
        }
    }

    private func sendNext() {
        guard pieces.isEmpty else {
            peer.send(pieces.removeFirst())
            return sendSoon()
        }
        switch ending {
        case .close: stop()
        case .reset:
            peer.reset()
            release()
        case .keep, .silence, nil: break
        }
        ending = nil
    }

    private func stop() {
        peer.close()
        release()
    }

    private func release() {
        guard let timer else { return }
        peer.executor.enter { peer.executor.releaseTimer(timer) }
        self.timer = nil
    }
}

extension StreamScript {
    fileprivate var ending: ScriptedProvider.EndingOfConnection {
        switch fate {
        case .cut, .noAnswer: .close
        case .reset: .reset
        case .silent: .silence
        case .whole, .refused: .keep
        }
    }
}
