import Cryptography
import StreamBytes

/// Why a sealed stream cannot be read on; nothing that comes after it may be trusted.
package enum UnsealError: Error, Equatable, Sendable {
    /// The event that tells the parameters is none, or says something that was not asked for.
    case badParameters(String)
    /// An event came that is not sealed, or before the parameters.
    case notSealed
    /// A payload is no base64, or too short.
    case malformed
    /// A sequence is not the one that follows the last.
    case outOfOrder(expected: UInt64, found: UInt64)
    /// An epoch is neither the running one nor the next.
    case wrongEpoch(running: UInt32, found: UInt32)
    /// Something was changed, or the keys are not those that it was sealed with.
    case notGenuine
    /// The stream ended before.
    case afterTheEnd
}

/// A client's side of a sealed stream: opens its events, one after the other, over any number of
/// attachments.
///
/// It takes any bytes and never traps. After an error it opens nothing more.
package struct Unsealer: ~Copyable {
    /// What a sealed event held.
    package struct Opened: Equatable, Sendable {
        package let content: [UInt8]
        /// Whether the content is raw deflate (RFC 1951).
        package let isDeflated: Bool
    }

    /// The most attachments that a client follows the secret through.
    static let attachmentLimit = SealingSession.attachmentLimit

    private let client: SealingClient
    private var cipher = AuthenticatedCipher()
    /// The secret of the first attachment.
    private var secret: SecretBytes?
    private var stream = ""
    private var algorithm = AEADAlgorithm.aes256GCM
    private var keys: SecretBytes?
    private var epoch: UInt32 = 0
    private var isBroken = false
    /// The number of the last event.
    package private(set) var lastSequence: UInt64 = 0
    /// Whether the event that ends the stream was opened.
    package private(set) var isEnded = false

    /// - Parameter client: made the offer of the request.
    package init(_ client: consuming SealingClient) { self.client = client }

    /// Takes the parameters of an attachment.
    ///
    /// - Parameters:
    ///   - data: of a `start` or `seal` event.
    ///   - sequence: the number of a `start` event; nil for `seal`.
    /// - Throws: `UnsealError`.
    package mutating func begin(_ data: Span<UInt8>, sequence: UInt64?) throws(UnsealError) {
        try ensureSound()
        isBroken = true
        guard let told = ToldParameters(data) else { throw .badParameters("not told") }
        guard stream.isEmpty || stream == told.stream else {
            throw .badParameters("another stream")
        }
        if let sequence {
            guard sequence == 1, lastSequence <= 1 else {
                throw .outOfOrder(expected: lastSequence + 1, found: sequence)
            }
            lastSequence = 1
        }
        if secret == nil { secret = try client.secret(told.parameters) }
        stream = told.stream
        algorithm = told.parameters.algorithm
        epoch = 0
        keys = try keys(told.parameters, data)
        isBroken = false
    }

    /// Opens an event.
    ///
    /// - Parameters:
    ///   - payload: the value of `sealed`, in base64.
    ///   - name: the event's.
    ///   - sequence: the number in its id.
    /// - Returns: what was sealed.
    /// - Throws: `UnsealError`.
    package mutating func open(
        _ payload: Span<UInt8>,
        name: String,
        sequence: UInt64
    ) throws(UnsealError) -> Opened {
        try ensureSound()
        isBroken = true
        let isNext = sequence == lastSequence + 1
        guard isNext || (name == "gap" && sequence > lastSequence) else {
            throw .outOfOrder(expected: lastSequence + 1, found: sequence)
        }
        let opened = try decrypt(payload, name, sequence)
        if name == "gap" { try check(gap: opened, sequence) }
        lastSequence = sequence
        isEnded = name == "complete" || name == "error"
        isBroken = false
        return opened
    }

    private func ensureSound() throws(UnsealError) {
        if isBroken { throw .notGenuine }
        if isEnded { throw .afterTheEnd }
    }

    private mutating func decrypt(
        _ payload: Span<UInt8>,
        _ name: String,
        _ sequence: UInt64
    ) throws(UnsealError) -> Opened {
        guard let keys else { throw .notSealed }
        guard let record = Base64.decode(payload), record.count >= SealedRecord.byteLimit else {
            throw .malformed
        }
        let found = record[..<4].reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
        let current = try self.keys(keys, ofEpoch: found)
        var associated: [UInt8] = []
        associated.append(associatedWith: stream, sequence: sequence, epoch: found)
        associated.append(contentsOf: name.utf8)
        let nonce = SealedRecord.nonce(sequence)
        let text = current.withSpan { keys in
            cipher.open(
                record.span.extracting(SealedRecord.epochByteCount..<record.count),
                with: algorithm,
                key: keys.extracting(0..<AEADAlgorithm.keyByteCount),
                nonce: nonce.span,
                authenticating: associated.span
            )
        }
        guard let text else { throw .notGenuine }
        self.keys = current
        epoch = found
        return try opened(text)
    }

    private func keys(
        _ keys: SecretBytes,
        ofEpoch found: UInt32
    ) throws(UnsealError) -> SecretBytes {
        if found == epoch { return keys }
        guard epoch < .max, found == epoch + 1 else {
            throw .wrongEpoch(running: epoch, found: found)
        }
        return keys.withSpan { keys in
            SecretBytes(count: KeySchedule.epochByteCount) { next in
                for index in keys.indices { next[index] = keys[index] }
                KeySchedule.advanceKeys(&next)
            }
        }
    }

    private func opened(_ text: [UInt8]) throws(UnsealError) -> Opened {
        guard let end = text.lastIndex(where: { $0 != 0 }),
            let type = SealedRecord.ContentType(rawValue: text[end])
        else { throw .malformed }
        return Opened(content: Array(text[..<end]), isDeflated: type == .deflated)
    }

    /// A gap tells how many events were lost: those between the last one and its own number.
    private func check(gap: Opened, _ sequence: UInt64) throws(UnsealError) {
        let content = gap.content.span
        let value = try? JSONValue(parsing: content)
        guard !gap.isDeflated, let lost = value?.member("lost", in: content)?.integer(in: content)
        else { throw .malformed }
        guard let lost = UInt64(exactly: lost), lost == sequence - lastSequence else {
            throw .outOfOrder(expected: lastSequence + 1, found: sequence)
        }
    }

    private func keys(
        _ parameters: SealParameters,
        _ data: Span<UInt8>
    ) throws(UnsealError) -> SecretBytes {
        guard let secret, parameters.attachment < Self.attachmentLimit else {
            throw .badParameters("a number of attachments that no stream has")
        }
        let current = SecretBytes(count: KeySchedule.secretByteCount) { current in
            secret.withSpan { secret in
                for index in secret.indices { current[index] = secret[index] }
            }
            for _ in 0..<parameters.attachment { KeySchedule.advanceSecret(&current) }
        }
        return SecretBytes(count: KeySchedule.epochByteCount) { keys in
            current.withSpan { current in
                KeySchedule.deriveKeys(
                    from: current,
                    salt: parameters.salt.span,
                    stream: stream,
                    algorithm: algorithm,
                    parameters: Array(copying: data),
                    into: &keys
                )
            }
        }
    }
}

extension [UInt8] {
    fileprivate init(copying span: Span<UInt8>) {
        self = []
        append(span)
    }
}
