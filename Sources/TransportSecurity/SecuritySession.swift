import COpenSSL

/// Why a TLS connection cannot go on.
package enum SecurityFailure: Error, Equatable, Sendable {
    /// A system call failed with this `errno`.
    case system(Int32)
    /// The bytes ended without the closing message of TLS: what came may be incomplete.
    case truncated
    /// A check or the protocol failed; a text without secrets.
    case failed(String)
}

package enum SecurityProgress: Equatable, Sendable {
    case done
    /// The descriptor has to become ready first.
    case wouldBlock
    case failed(SecurityFailure)
}

package enum SecurityRead: Equatable, Sendable {
    case bytes(Int)
    case wouldBlock
    /// The other side closed TLS in an orderly way.
    case ended
    case failed(SecurityFailure)
}

package enum SecurityWrite: Equatable, Sendable {
    /// So many leading bytes need not be offered again.
    case wrote(Int)
    case failed(SecurityFailure)
}

/// One TLS connection on a descriptor that its owner lends and closes.
///
/// Proof for `@unchecked Sendable`: it cannot be copied, so that one thread at a time has it.
@safe
package struct SecuritySession: ~Copyable, @unchecked Sendable {
    /// How OpenSSL reaches the descriptor.
    ///
    /// Proof for `nonisolated(unsafe)`: OpenSSL only reads it.
    private nonisolated(unsafe) static let socketMethod = {
        let method = unsafe COpenSSL_make_socket_method()
        precondition(unsafe method != nil, "there is memory for one structure")
        return unsafe method
    }()

    /// How many records without data may come one after the other.
    ///
    /// Each has OpenSSL derive keys and answer, so that a flood of them (KeyUpdate) costs its sender
    /// less than it costs here.
    private static let emptyRecordLimit = 32

    private let pointer: OpaquePointer
    /// OpenSSL calls it back during the handshake.
    private let context: SecurityContext
    private let expectedName: String
    /// Bytes that a record may hold.
    ///
    /// A write of more would leave as several, of which OpenSSL may report some before the rest.
    private var recordLimit = Int(SSL3_RT_MAX_PLAIN_LENGTH)
    /// Whether a call failed for good: OpenSSL then forbids a closing message.
    private var isBroken = false
    private var deferredRead: SecurityRead?
    /// The record that OpenSSL has encrypted and the descriptor would not take yet.
    private var blocked: [UInt8] = []
    /// Bytes of a record that left, which the owner still is to offer.
    private var aheadCount = 0
    /// Records without data since the last with some.
    private var emptyRecordCount: Int32 = 0
    /// Records that one key has encrypted.
    private var recordCount: Int32 = 0
    /// How many it may encrypt; then TLS 1.3 takes the next key.
    ///
    /// Source: RFC 8446, section 5.5, which allows AES-GCM about 24 million.
    package var recordsPerKey: Int32 = 8_388_608

    /// Starts a connection to a server.
    ///
    /// - Parameters:
    ///   - context: made by `init(trustingSystemAnd:)`.
    ///   - serverName: sent to the server (SNI) and looked for in its certificate; an IP address in
    ///     digits is only looked for.
    ///   - descriptor: non-blocking; outlives the session.
    /// - Throws: `SecurityFailure.failed` if the name cannot be one, or memory lacks.
    package init(
        _ context: SecurityContext,
        connectingTo serverName: String,
        on descriptor: Int32
    ) throws(SecurityFailure) {
        precondition(!context.isServer, "a client needs a client's context")
        let pointer = unsafe try Self.open(context, on: descriptor)
        unsafe SSL_set_connect_state(pointer)
        guard unsafe Self.expect(serverName, pointer) else {
            unsafe SSL_free(pointer)
            throw .failed("not a host name: \(serverName)")
        }
        unsafe self.pointer = pointer
        self.context = context
        expectedName = serverName
    }

    /// Starts the server's side of an accepted connection.
    package init(
        _ context: SecurityContext,
        acceptedOn descriptor: Int32
    ) throws(SecurityFailure) {
        precondition(context.isServer, "a server needs a server's context")
        unsafe pointer = try Self.open(context, on: descriptor)
        self.context = context
        expectedName = ""
        unsafe SSL_set_accept_state(pointer)
    }

    private static func open(
        _ context: SecurityContext,
        on descriptor: Int32
    ) throws(SecurityFailure) -> OpaquePointer {
        guard let pointer = unsafe SSL_new(context.pointer) else {
            throw .failed("no memory for TLS")
        }
        guard unsafe COpenSSL_set_descriptor(pointer, descriptor, socketMethod) == 1 else {
            unsafe SSL_free(pointer)
            throw .failed("no memory for TLS")
        }
        return unsafe pointer
    }

    /// Has the certificate checked for a name or address; false if it can be neither.
    private static func expect(_ name: String, _ pointer: OpaquePointer) -> Bool {
        defer { ERR_clear_error() }
        if unsafe X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(pointer), name) == 1 { return true }
        unsafe SSL_set_hostflags(pointer, UInt32(X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS))
        guard !name.isEmpty else { return false }
        return unsafe SSL_set1_host(pointer, name) == 1
            && COpenSSL_set_server_name(pointer, name) == 1
    }

    deinit { unsafe SSL_free(pointer) }

    /// Goes on with the handshake; call again when the descriptor is ready, until it is done.
    package mutating func handshake() -> SecurityProgress {
        let result = unsafe COpenSSL_handshake(pointer)
        guard result != 1 else {
            unsafe COpenSSL_return_after_each_record(pointer)
            recordLimit = unsafe Int(COpenSSL_record_limit(pointer))
            return .done
        }
        let outcome = explain(result)
        guard !outcome.isBlocked else { return .wouldBlock }
        let failure = note(outcome)
        if let reason = verificationFailure() { return .failed(.failed(reason)) }
        switch failure {
        case .truncated: return .failed(.failed("the peer closed during the handshake"))
        default: return .failed(failure)
        }
    }

    /// The application protocol that both sides agreed on; nil before the handshake is done, or
    /// when the client offered none.
    package var negotiatedProtocol: String? {
        var name: UnsafePointer<UInt8>?
        var count: UInt32 = 0
        unsafe SSL_get0_alpn_selected(pointer, &name, &count)
        guard let name = unsafe name else { return nil }
        let bytes = unsafe UnsafeBufferPointer(start: name, count: Int(count))
        return unsafe String(decoding: bytes, as: UTF8.self)
    }

    /// Whether the next read tells the end, or an error, that was met already.
    package var knowsEnd: Bool { deferredRead != nil }

    /// Reads into `buffer` from `offset` on until it is full or nothing more is there.
    package mutating func read(into buffer: inout [UInt8], from offset: Int) -> SecurityRead {
        if let deferred = deferredRead { return deferred }
        var count = 0
        while offset + count < buffer.count {
            let result = unsafe buffer.withUnsafeMutableBytes { room in
                let rest = unsafe UnsafeMutableRawBufferPointer(rebasing: room[(offset + count)...])
                return unsafe COpenSSL_read(
                    pointer,
                    rest.baseAddress,
                    Int32(clamping: rest.count)
                )
            }
            if result > 0 {
                count += Int(result)
                emptyRecordCount = 0
                continue
            }
            var outcome = explain(result)
            if case .hadNoData = outcome {
                emptyRecordCount += 1
                guard emptyRecordCount > Self.emptyRecordLimit else { continue }
                outcome = .failed(.failed("too many records without data"))
            }
            guard !outcome.isBlocked else {
                return count > 0 ? .bytes(count) : .wouldBlock
            }
            let end = readEnd(outcome)
            deferredRead = end
            return count > 0 ? .bytes(count) : end
        }
        return .bytes(count)
    }

    /// Writes what the descriptor takes.
    ///
    /// Bytes that were not taken must come first in the next call, as in any stream of bytes: a
    /// record of them may have been encrypted already.
    package mutating func write(_ bytes: Span<UInt8>) -> SecurityWrite {
        var taken = min(aheadCount, bytes.count)
        aheadCount -= taken
        if !blocked.isEmpty {
            switch sendBlocked() {
            case .wouldBlock: return .wrote(taken)
            case .failed(let failure): return .failed(failure)
            case .done:
                let covered = min(blocked.count, bytes.count - taken)
                aheadCount += blocked.count - covered
                taken += covered
                blocked = []
            }
        }
        while taken < bytes.count {
            let record = bytes.extracting(taken..<min(taken + recordLimit, bytes.count))
            let result = unsafe record.withUnsafeBytes {
                unsafe COpenSSL_write(pointer, $0.baseAddress, Int32($0.count))
            }
            if result > 0 {
                taken += Int(result)
                countRecord()
                continue
            }
            let outcome = explain(result)
            guard outcome.isBlocked else { return .failed(note(outcome)) }
            unsafe record.withUnsafeBufferPointer { blocked = unsafe Array($0) }
            break
        }
        return .wrote(taken)
    }

    private mutating func countRecord() {
        recordCount += 1
        guard recordCount >= recordsPerKey else { return }
        recordCount = 0
        // The message leaves with the next record. TLS 1.2 has no such message.
        if unsafe SSL_key_update(pointer, SSL_KEY_UPDATE_NOT_REQUESTED) != 1 { ERR_clear_error() }
    }

    private mutating func sendBlocked() -> SecurityProgress {
        let result = unsafe blocked.withUnsafeBytes {
            unsafe COpenSSL_write(pointer, $0.baseAddress, Int32($0.count))
        }
        if result > 0 {
            precondition(Int(result) == blocked.count, "a blocked record leaves as a whole")
            countRecord()
            return .done
        }
        let outcome = explain(result)
        return outcome.isBlocked ? .wouldBlock : .failed(note(outcome))
    }

    /// Tells the other side that nothing more will be sent, if the descriptor takes it now.
    package mutating func finishSending() {
        guard !isBroken, unsafe SSL_is_init_finished(pointer) == 1 else { return }
        unsafe SSL_shutdown(pointer)
        ERR_clear_error()
    }

    // MARK: Outcomes

    private enum Outcome {
        case blocked
        /// A record was read and had no data; the next may be there.
        case hadNoData
        case ended
        case failed(SecurityFailure)

        var isBlocked: Bool {
            switch self {
            case .blocked, .hadNoData: true
            case .ended, .failed: false
            }
        }
    }

    private func explain(_ result: Int32) -> Outcome {
        let outcome = unsafe COpenSSL_explain(pointer, result)
        switch unsafe outcome.kind {
        case SSL_ERROR_WANT_READ where unsafe outcome.error_number == 0: return .hadNoData
        case SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE: return .blocked
        case SSL_ERROR_ZERO_RETURN: return .ended
        case _ where unsafe outcome.is_truncation != 0: return .failed(.truncated)
        case SSL_ERROR_SYSCALL: return unsafe .failed(.system(outcome.error_number))
        default:
            let reason = unsafe outcome.reason.map { unsafe String(cString: $0) }
            return .failed(.failed(reason ?? "protocol error"))
        }
    }

    private mutating func readEnd(_ outcome: Outcome) -> SecurityRead {
        if case .ended = outcome { return .ended }
        return .failed(note(outcome))
    }

    private mutating func note(_ outcome: Outcome) -> SecurityFailure {
        isBroken = true
        guard case .failed(let failure) = outcome else { return .truncated }
        return failure
    }

    private func verificationFailure() -> String? {
        let code = unsafe SSL_get_verify_result(pointer)
        switch Int32(code) {
        case X509_V_OK: return nil
        case X509_V_ERR_HOSTNAME_MISMATCH, X509_V_ERR_IP_ADDRESS_MISMATCH:
            return "host name mismatch: the certificate is not for \(expectedName)"
        default: return unsafe String(cString: X509_verify_cert_error_string(code))
        }
    }
}
