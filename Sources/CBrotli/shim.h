#ifndef WEIR_CBROTLI_H
#define WEIR_CBROTLI_H
#include <brotli/decode.h>
#include <brotli/encode.h>
#endif
