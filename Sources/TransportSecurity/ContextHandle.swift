import COpenSSL

/// One of OpenSSL's contexts, with what all of Weir's have in common.
///
/// Proof for `@unchecked Sendable`: whoever makes one sets it up before anyone else sees it, and
/// OpenSSL counts its references with atomics, so that any thread may make sessions from it.
@safe
final class ContextHandle: @unchecked Sendable {
    let pointer: OpaquePointer

    init(isServer: Bool) throws(SecurityContextError) {
        let method = unsafe isServer ? TLS_server_method() : TLS_client_method()
        guard let pointer = unsafe SSL_CTX_new(method) else { throw .outOfMemory }
        unsafe self.pointer = pointer
        unsafe COpenSSL_require_tls_1_2(pointer)
        unsafe COpenSSL_set_modes(pointer)
        unsafe COpenSSL_never_ask(pointer)
    }

    deinit { unsafe SSL_CTX_free(pointer) }

    /// The first error that OpenSSL noted on this thread, in its words.
    static func reason() -> String {
        let error = ERR_peek_error()
        ERR_clear_error()
        let reason = unsafe COpenSSL_reason(error).map { unsafe String(cString: $0) }
        return reason ?? "unknown error"
    }
}
