import Compression
import Cryptography
import HTTPWire
import Reactor
import Sealing
import StreamBytes
import TestSupport

/// A client of one stream: asks, reads at its own pace, leaves, comes back; keeps what it got.
///
/// Proof for `@unchecked Sendable`: a simulation runs on one thread.
final class SimulatedClient: TimerHandler, @unchecked Sendable {
    enum Manner: Equatable {
        case patient
        /// Reads nothing for a while, now and then.
        case slow
        /// Stops reading after so many bytes of the body, for longer than the gateway waits.
        case stuck(after: Int)
        /// Ends its sending side right after the request.
        case halfClosed
        /// Breaks the connection after so many bytes of the body, for good.
        case leaves(after: Int)
        /// The same, and comes back each time with the id of the last event.
        case returns(after: Int)
    }

    let index: Int
    let isOpenAI: Bool
    let asksForUsage: Bool
    /// The key that it wants its answer sealed with; nil: not sealed.
    let sealingKey: SecretBytes?
    let manner: Manner
    /// Its `Accept-Encoding`; nil: none.
    let codings: String?
    /// The bodies of its responses, one after the other: what was received, with the status.
    private(set) var responses: [Response] = []
    private(set) var isDone = false

    struct Response {
        var status = 0
        /// Without its content coding.
        var body: [UInt8] = []
        /// As it was received.
        var receivedByteCount = 0
        /// Whether the content coding is not at its end.
        var isUnfinished = false
        /// Whether the body came to its end by its own framing.
        var isWhole = false
    }

    private let executor: SimulatedExecutor
    private let address: SocketAddress
    private var random: SeededChance
    private var peer: SimulatedPeer?
    /// Of the response that is received, when it is coded.
    private var decoder: BodyDecoder?
    private var parser = ResponseParser(limits: .endless, isReplyToHead: false)
    private var timer: TimerID?
    private var returnsLeft = 3
    private var hasStopped = false
    private var onTimer: (() -> Void)?

    init(
        _ index: Int,
        manner: Manner,
        isOpenAI: Bool,
        asksForUsage: Bool,
        codings: String?,
        sealingKey: SecretBytes?,
        on executor: SimulatedExecutor,
        to address: SocketAddress,
        random: SeededChance
    ) {
        self.index = index
        self.manner = manner
        self.isOpenAI = isOpenAI
        self.asksForUsage = asksForUsage
        self.codings = codings
        self.sealingKey = sealingKey
        self.executor = executor
        self.address = address
        self.random = random
    }

    /// Lets go of the connection, which otherwise keeps its client, and that the connection.
    func forget() {
        peer?.onBytes = nil
        peer?.onEnd = nil
        peer = nil
    }

    /// Asks after a while.
    func start() { later(0...2_000) { [self] in ask(request) } }

    func timerFired(_ timer: TimerID) {
        let action = onTimer
        onTimer = nil
        action?()
    }

    private var request: String {
        let options = asksForUsage ? #","stream_options":{"include_usage":true}"# : ""
        let body =
            #"{"model":"m","stream":true,"user":"u\#(index)"\#(isOpenAI ? options : "")\#(seal),"#
            + #""messages":[{"role":"user","content":"stream-\#(index)"}]}"#
        let path = isOpenAI ? "/v1/chat/completions" : "/api/stream"
        return "POST \(path) HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer key\r\n"
            + acceptEncoding + "Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
    }

    private var acceptEncoding: String {
        codings.map { "Accept-Encoding: \($0)\r\n" } ?? ""
    }

    private var seal: String {
        guard let offer = sealingClient?.offer else { return "" }
        return #","seal":\#(String(decoding: offer.text, as: UTF8.self))"#
    }

    /// The client's side of the agreement; nil when nothing is sealed.
    private var sealingClient: SealingClient? {
        sealingKey.map { key in
            SealingClient(sharedKey: key, id: "k1") { [index] in
                SealOffer(
                    $0,
                    nonce: [UInt8](repeating: UInt8(index), count: 16),
                    algorithms: [index % 2 == 0 ? .aes256GCM : .chaCha20Poly1305],
                    pad: index
                )
            }
        }
    }

    /// The events of each response, opened where they were sealed.
    ///
    /// - Throws: `UnsealError`.
    func blocks() throws -> [[EventBlocks.Block]] {
        let blocks = responses.map { $0.status == 200 ? EventBlocks($0.body).blocks : [] }
        guard let client = sealingClient else { return blocks }
        var unsealer = Unsealer(client)
        return try blocks.map { blocks in
            try blocks.compactMap { try Self.open($0, with: &unsealer) }
        }
    }

    private static func open(
        _ block: EventBlocks.Block,
        with unsealer: inout Unsealer
    ) throws -> EventBlocks.Block? {
        if block.event == "heartbeat" || block.id == "gone" { return block }
        let data = Array((block.data ?? "").utf8)
        let number = block.id.flatMap { $0.split(separator: ".").last }.flatMap { UInt64($0) }
        let value = try JSONValue(parsing: data.span)
        guard let sealed = value.member("sealed", in: data.span)?.text(in: data.span) else {
            try unsealer.begin(data.span, sequence: number)
            return block.event == "start" ? block : nil
        }
        let payload = Array(sealed.utf8)
        let count = value.member("n", in: data.span)?.integer(in: data.span)
        let opened = try unsealer.open(
            payload.span,
            name: block.event ?? "data",
            sequence: number ?? UInt64(count ?? 0)
        )
        var plain = block
        plain.data = String(decoding: opened.content, as: UTF8.self)
        return plain
    }

    private func ask(_ request: String) {
        responses.append(Response())
        parser = ResponseParser(limits: .endless, isReplyToHead: false)
        let peer = SimulatedPeer(on: executor)
        self.peer = peer
        peer.onBytes = { [self] peer, bytes in if peer === self.peer { take(Array(bytes)) } }
        peer.onEnd = { [self] peer in if peer === self.peer { connectionEnded() } }
        peer.connect(to: address)
        peer.send(request)
        if manner == .halfClosed { peer.finishSending() }
        if case .leaves(let count) = manner, count == 0 { leave() }
    }

    private func take(_ bytes: [UInt8]) {
        guard !isDone else { return }
        var offset = 0
        while true {
            guard let step = try? parser.parse(bytes.span, from: &offset) else {
                preconditionFailure("the gateway speaks HTTP")
            }
            switch step {
            case .needsMore: return behave()
            case .interim: continue
            case .head(let head): note(head)
            case .body(let range): receive(bytes[range])
            case .end:
                responses[responses.count - 1].isWhole = true
                return finish()
            }
        }
    }

    private func note(_ head: ResponseHead) {
        responses[responses.count - 1].status = head.status
        decoder = nil
        guard let name = head.fields.first("content-encoding") else { return }
        guard let coding = ContentCoding(named: name), let opened = try? BodyDecoder(coding) else {
            preconditionFailure("the gateway uses codings that were accepted")
        }
        decoder = consume opened
        responses[responses.count - 1].isUnfinished = true
    }

    private func receive(_ bytes: ArraySlice<UInt8>) {
        let index = responses.count - 1
        responses[index].receivedByteCount += bytes.count
        guard decoder != nil else {
            responses[index].body += bytes
            return
        }
        do {
            try decoder?.decode(bytes.span, to: &responses[index].body)
        } catch {
            preconditionFailure("a coded body can be read: \(error)")
        }
        responses[index].isUnfinished = decoder?.isFinished == false
    }

    private func behave() {
        let count = responses.last?.body.count ?? 0
        switch manner {
        case .leaves(let limit) where count >= limit: leave()
        case .returns(let limit) where count >= limit && returnsLeft > 0: goAndReturn()
        case .stuck(let limit) where count >= limit && !hasStopped:
            hasStopped = true
            peer?.pause()
            later(20_000...30_000) { [self] in peer?.resume() }
        case .slow where random.chance(perMille: 100):
            peer?.pause()
            later(10...1_500) { [self] in peer?.resume() }
        default: break
        }
    }

    private func leave() {
        random.chance(perMille: 500) ? peer?.reset() : peer?.close()
        end()
    }

    private func goAndReturn() {
        returnsLeft -= 1
        random.chance(perMille: 500) ? peer?.reset() : peer?.close()
        peer = nil
        guard let id = lastEventID, let dot = id.lastIndex(of: ".") else { return end() }
        later(1...1_000) { [self] in
            ask(
                "GET /api/stream/\(id[..<dot]) HTTP/1.1\r\nHost: localhost\r\n"
                    + "Authorization: Bearer key\r\n\(acceptEncoding)"
                    + "Last-Event-ID: \(id)\r\n\r\n"
            )
        }
    }

    /// The id of the last event that came whole, over all responses.
    var lastEventID: String? {
        for response in responses.reversed() {
            if let id = EventBlocks(response.body).blocks.reversed().lazy.compactMap(\.id).first {
                return id
            }
        }
        return nil
    }

    private func connectionEnded() {
        guard !isDone, peer != nil else { return }
        // A client that lost its stream, though it did nothing for it, comes back where it can.
        if !isOpenAI, returnsLeft > 0, lastEventID != nil, case .returns = manner {
            return goAndReturn()
        }
        finish()
    }

    private func finish() {
        peer?.close()
        end()
    }

    private func end() {
        isDone = true
        guard let timer else { return }
        executor.enter { executor.releaseTimer(timer) }
        self.timer = nil
    }

    private func later(_ milliseconds: ClosedRange<Int>, _ action: @escaping () -> Void) {
        executor.enter {
            let timer = timer ?? executor.makeTimer(for: self)
            self.timer = timer
            onTimer = action
            executor.setTimer(
                timer,
                at: executor.now + .milliseconds(random.within(milliseconds))
            )
        }
    }
}

/// An event stream cut at its blank lines, as simply as can be.
struct EventBlocks {
    struct Block {
        var id: String?
        var event: String?
        var data: String?
    }

    /// The events that came whole; comments are left out.
    private(set) var blocks: [Block] = []

    init(_ body: [UInt8]) {
        var parts = String(decoding: body, as: UTF8.self)
            .split(separator: "\n\n", omittingEmptySubsequences: false)
        // What follows the last blank line did not come whole.
        parts.removeLast()
        for part in parts {
            var block = Block()
            for line in part.split(separator: "\n") {
                if line.hasPrefix("id: ") { block.id = String(line.dropFirst(4)) }
                if line.hasPrefix("event: ") { block.event = String(line.dropFirst(7)) }
                if line.hasPrefix("data: ") { block.data = String(line.dropFirst(6)) }
            }
            if block.data != nil { blocks.append(block) }
        }
    }
}
