#ifndef WEIR_CCRYPTO_H
#define WEIR_CCRYPTO_H
#include <openssl/evp.h>
#include <openssl/rand.h>
#endif
