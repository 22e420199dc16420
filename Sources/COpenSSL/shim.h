#ifndef WEIR_COPENSSL_H
#define WEIR_COPENSSL_H
#include <openssl/err.h>
#include <openssl/ssl.h>
#endif
