#ifndef WEIR_CCRYPTO_H
#define WEIR_CCRYPTO_H
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/obj_mac.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <stddef.h>

static inline OSSL_PARAM CCrypto_bytes(const char *name, const void *bytes, size_t count) {
    return OSSL_PARAM_construct_octet_string(name, (void *)(bytes ? bytes : ""), count);
}

/* For HMAC, no key is one of zeros; libcrypto takes no empty salt. */
static const unsigned char CCrypto_no_salt[32] = {0};

/* The parameters of HKDF, whose names and values must stay where they are until the call. */
static inline int CCrypto_hkdf_sha256(
    EVP_KDF_CTX *context, const void *secret, size_t secret_count, const void *salt,
    size_t salt_count, const void *info, size_t info_count, unsigned char *key, size_t key_count) {
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *)"SHA256", 0),
        CCrypto_bytes(OSSL_KDF_PARAM_KEY, secret, secret_count),
        salt_count == 0
            ? CCrypto_bytes(OSSL_KDF_PARAM_SALT, CCrypto_no_salt, sizeof CCrypto_no_salt)
            : CCrypto_bytes(OSSL_KDF_PARAM_SALT, salt, salt_count),
        CCrypto_bytes(OSSL_KDF_PARAM_INFO, info, info_count),
        OSSL_PARAM_construct_end(),
    };
    return EVP_KDF_derive(context, key, key_count, parameters);
}
#endif
