#ifndef WEIR_COPENSSL_H
#define WEIR_COPENSSL_H
#include <errno.h>
#include <malloc.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

/* What OpenSSL offers as macros, and callbacks that only hand pointers through. */

static inline int COpenSSL_require_tls_1_2(SSL_CTX *context) {
    return SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
}

/* Room for a whole record; OpenSSL asks for a little less. */
enum { COpenSSL_record_room = 17 * 1024 };

/* What this thread's next record goes through, or NULL; its content is as that of freed memory. */
static inline void **COpenSSL_spare_room(void) {
    static _Thread_local void *room;
    return &room;
}

/* The C library's memory, but the room of a record is kept for the next one of the thread: with
   SSL_MODE_RELEASE_BUFFERS it is asked for and given back with every record, and pieces of that
   size are none that `malloc` has at hand. */
static inline void *COpenSSL_allocate(size_t count, const char *file, int line) {
    (void)file, (void)line;
    if (count == 0) return NULL;
    if (count <= SSL3_RT_MAX_PLAIN_LENGTH || count > COpenSSL_record_room) return malloc(count);
    void *room = *COpenSSL_spare_room();
    *COpenSSL_spare_room() = NULL;
    return room != NULL ? room : malloc(COpenSSL_record_room);
}

static inline void COpenSSL_release(void *memory, const char *file, int line) {
    (void)file, (void)line;
    size_t count = malloc_usable_size(memory);
    int is_room = count >= COpenSSL_record_room && count < COpenSSL_record_room + 64;
    if (is_room && *COpenSSL_spare_room() == NULL) *COpenSSL_spare_room() = memory;
    else free(memory);
}

static inline void *COpenSSL_resize(void *memory, size_t count, const char *file, int line) {
    if (memory == NULL) return COpenSSL_allocate(count, file, line);
    if (count != 0) return realloc(memory, count);
    COpenSSL_release(memory, file, line);
    return NULL;
}

/* Returns 0, and changes nothing, once OpenSSL has taken memory from elsewhere. */
static inline int COpenSSL_keep_record_rooms(void) {
    return CRYPTO_set_mem_functions(COpenSSL_allocate, COpenSSL_resize, COpenSSL_release);
}

/* Little memory per connection, writes that may stop after a record, and a buffer that may move.
   Records leave by COpenSSL_send, which knows nothing of TLS in the kernel. */
static inline void COpenSSL_set_modes(SSL_CTX *context) {
    SSL_CTX_set_mode(
        context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE
                     | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    SSL_CTX_clear_options(context, SSL_OP_ENABLE_KTLS);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
}

/* Has SSL_read come back with SSL_ERROR_WANT_READ, and errno 0, after a record that had no data. */
static inline void COpenSSL_return_after_each_record(SSL *session) {
    SSL_clear_mode(session, SSL_MODE_AUTO_RETRY);
}

/* As OpenSSL's socket BIO writes, but by send: write takes half a microsecond more on its way through
   what files have in common. */
static inline int COpenSSL_send(BIO *bio, const char *bytes, int count) {
    int descriptor = -1;
    BIO_get_fd(bio, &descriptor);
    int sent = (int)send(descriptor, bytes, (size_t)count, MSG_NOSIGNAL);
    BIO_clear_retry_flags(bio);
    if (sent <= 0 && BIO_sock_should_retry(sent)) BIO_set_retry_write(bio);
    return sent;
}

/* OpenSSL's socket BIO with COpenSSL_send; NULL when memory lacks. */
static inline BIO_METHOD *COpenSSL_make_socket_method(void) {
    const BIO_METHOD *socket = BIO_s_socket();
    BIO_METHOD *method = BIO_meth_new(BIO_TYPE_SOCKET, "socket");
    if (method == NULL) return NULL;
    BIO_meth_set_write(method, COpenSSL_send);
    BIO_meth_set_read(method, BIO_meth_get_read(socket));
    BIO_meth_set_puts(method, BIO_meth_get_puts(socket));
    BIO_meth_set_ctrl(method, BIO_meth_get_ctrl(socket));
    BIO_meth_set_create(method, BIO_meth_get_create(socket));
    BIO_meth_set_destroy(method, BIO_meth_get_destroy(socket));
    return method;
}

/* The descriptor stays the caller's. Returns 0 when memory lacks. */
static inline int COpenSSL_set_descriptor(SSL *session, int descriptor, const BIO_METHOD *method) {
    BIO *bio = BIO_new(method);
    if (bio == NULL) return 0;
    BIO_set_fd(bio, descriptor, BIO_NOCLOSE);
    SSL_set_bio(session, bio, bio);
    return 1;
}

/* How many bytes a record to the peer may hold (RFC 6066, section 4: a client may ask for fewer). */
static inline int32_t COpenSSL_record_limit(SSL *session) {
    const SSL_SESSION *state = SSL_get_session(session);
    uint8_t code = state == NULL ? 0 : SSL_SESSION_get_max_fragment_length(state);
    int is_limited = code >= TLSEXT_max_fragment_length_512 && code <= TLSEXT_max_fragment_length_4096;
    return is_limited ? 256 << code : SSL3_RT_MAX_PLAIN_LENGTH;
}

/* Has what clients send, and with it their keys, wiped where it was decrypted. */
static inline void COpenSSL_wipe_requests(SSL_CTX *context) {
    SSL_CTX_set_options(context, SSL_OP_CLEANSE_PLAINTEXT);
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

/* What a server agrees to: AEAD with forward secrecy alone, in its own order, but ChaCha20 first for
   a client that puts it first because it has no AES in hardware. 1 for success. */
static inline int COpenSSL_accept_modern_ciphers(SSL_CTX *context) {
    SSL_CTX_set_options(context, SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
    SSL_CTX_set_security_level(context, 2);
    return SSL_CTX_set_ciphersuites(
               context,
               "TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256")
        && SSL_CTX_set_cipher_list(
               context,
               "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
               "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305:"
               "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256")
        && SSL_CTX_set1_groups_list(context, "X25519:P-256:P-384")
        && SSL_CTX_set1_sigalgs_list(
               context,
               "ECDSA+SHA256:ECDSA+SHA384:ECDSA+SHA512:ed25519:RSA-PSS+SHA256:RSA-PSS+SHA384:"
               "RSA-PSS+SHA512:RSA+SHA256:RSA+SHA384:RSA+SHA512");
}

/* Gives a context another one's certificate, chain and key, beside those of other kinds of key.
   1 for success. */
static inline int COpenSSL_add_certificate(SSL_CTX *context, const SSL_CTX *from) {
    STACK_OF(X509) *chain = NULL;
    SSL_CTX_get0_chain_certs((SSL_CTX *)from, &chain);
    return SSL_CTX_use_cert_and_key(
        context, SSL_CTX_get0_certificate(from), SSL_CTX_get0_privatekey(from), chain, 1);
}

static inline EVP_PKEY *COpenSSL_make_p256_key(void) { return EVP_EC_gen("P-256"); }

/* Seconds since 1970; 0 when the time cannot be read. */
static inline int64_t COpenSSL_seconds(const ASN1_TIME *when) {
    struct tm parts;
    return ASN1_TIME_to_tm(when, &parts) == 1 ? (int64_t)timegm(&parts) : 0;
}

/* Calls `visit` for each host name of a certificate (subjectAltName). */
static inline void COpenSSL_each_host_name(
    const X509 *certificate, void (*visit)(const char *name, int count, void *context),
    void *context) {
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    for (int index = 0; index < sk_GENERAL_NAME_num(names); index++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, index);
        if (name->type == GEN_DNS)
            visit(
                (const char *)ASN1_STRING_get0_data(name->d.dNSName),
                ASN1_STRING_length(name->d.dNSName), context);
    }
    GENERAL_NAMES_free(names);
}

typedef int (*COpenSSL_server_name_callback)(SSL *session, int *alert, void *context);

/* Has `callback` choose the certificate when a client names the host it wants. */
static inline void COpenSSL_set_server_name_callback(
    SSL_CTX *context, COpenSSL_server_name_callback callback, void *argument) {
    SSL_CTX_set_tlsext_servername_callback(context, callback);
    SSL_CTX_set_tlsext_servername_arg(context, argument);
}

typedef int (*COpenSSL_ticket_callback)(
    SSL *session, unsigned char *name, unsigned char *vector, EVP_CIPHER_CTX *cipher,
    EVP_MAC_CTX *mac, int seals);

static inline void COpenSSL_set_owner(SSL_CTX *context, void *owner) {
    SSL_CTX_set_app_data(context, owner);
}

static inline void *COpenSSL_owner(const SSL *session) {
    return SSL_CTX_get_app_data(SSL_get_SSL_CTX(session));
}

/* Starts sealing (or opening) a session ticket: AES-256-CBC, authenticated by HMAC-SHA-256, with 32
   bytes of key each. 1 for success. */
static inline int COpenSSL_begin_ticket(
    EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, const unsigned char *cipher_key,
    const unsigned char *mac_key, const unsigned char *iv, int seals) {
    OSSL_PARAM digest[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, "SHA256", 0),
        OSSL_PARAM_construct_end(),
    };
    return EVP_CipherInit_ex(cipher, EVP_aes_256_cbc(), NULL, cipher_key, iv, seals)
        && EVP_MAC_init(mac, mac_key, 32, digest);
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
