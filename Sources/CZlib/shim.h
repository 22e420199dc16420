#ifndef WEIR_CZLIB_H
#define WEIR_CZLIB_H
#include <zlib.h>

/* What zlib offers as macros. */

static inline int CZlib_open_deflate(
    z_stream *stream, int level, int window_bits, int memory_level) {
    return deflateInit2(
        stream, level, Z_DEFLATED, window_bits, memory_level, Z_DEFAULT_STRATEGY);
}

static inline int CZlib_open_inflate(z_stream *stream, int window_bits) {
    return inflateInit2(stream, window_bits);
}
#endif
