#ifndef WEIR_COPENSSL_H
#define WEIR_COPENSSL_H
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <string.h>

/* What OpenSSL offers as macros, and callbacks that only hand pointers through. */

static inline int COpenSSL_require_tls_1_2(SSL_CTX *context) {
    return SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
}

/* Little memory per connection, writes that may stop after a record, and a buffer that may move. */
static inline void COpenSSL_set_modes(SSL_CTX *context) {
    SSL_CTX_set_mode(
        context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE
                     | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
}

static inline int COpenSSL_set_server_name(SSL *session, const char *name) {
    return (int)SSL_set_tlsext_host_name(session, name);
}

static inline int COpenSSL_no_password(char *buffer, int size, int writing, void *context) {
    (void)buffer, (void)size, (void)writing, (void)context;
    return 0;
}

/* A key file that asks for a password is refused instead of asking the terminal. */
static inline void COpenSSL_never_ask(SSL_CTX *context) {
    SSL_CTX_set_default_passwd_cb(context, COpenSSL_no_password);
}

/* The words for an error of OpenSSL's queue, which may be one of the system; NULL if it has none. */
static inline const char *COpenSSL_reason(unsigned long error) {
    if (error == 0) return NULL;
    return ERR_SYSTEM_ERROR(error) ? strerror(ERR_GET_REASON(error)) : ERR_reason_error_string(error);
}

/* What the last call on a session means; read at once after it. */
typedef struct {
    int kind;            /* SSL_ERROR_... */
    int error_number;    /* errno, for SSL_ERROR_SYSCALL */
    int is_truncation;   /* the peer's bytes ended without close_notify */
    const char *reason;  /* a text to copy at once, or NULL */
} COpenSSL_outcome;

static inline COpenSSL_outcome COpenSSL_explain(SSL *session, int result) {
    COpenSSL_outcome outcome = {.error_number = errno, .kind = SSL_get_error(session, result)};
    unsigned long error = ERR_peek_error();
    outcome.is_truncation =
        (outcome.kind == SSL_ERROR_SSL
         && ERR_GET_REASON(error) == SSL_R_UNEXPECTED_EOF_WHILE_READING)
        || (outcome.kind == SSL_ERROR_SYSCALL && outcome.error_number == 0 && error == 0);
    outcome.reason = COpenSSL_reason(error);
    if (outcome.kind == SSL_ERROR_SSL && ERR_GET_REASON(error) == SSL_R_WRONG_VERSION_NUMBER
        && !SSL_is_init_finished(session))
        outcome.reason = "the peer does not speak TLS";
    ERR_clear_error();
    return outcome;
}

static inline int COpenSSL_read(SSL *session, void *buffer, int count) {
    errno = 0;
    return SSL_read(session, buffer, count);
}

static inline int COpenSSL_write(SSL *session, const void *bytes, int count) {
    errno = 0;
    return SSL_write(session, bytes, count);
}

static inline int COpenSSL_handshake(SSL *session) {
    errno = 0;
    return SSL_do_handshake(session);
}
#endif
