#ifndef WEIR_CSODIUM_H
#define WEIR_CSODIUM_H
#include <sodium/core.h>
#include <sodium/crypto_aead_aes256gcm.h>
#endif
