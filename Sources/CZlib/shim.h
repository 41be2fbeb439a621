// zlib for Swift: inflateInit2 is a macro, which does not import by itself.
#pragma once

#include <zlib.h>

// For gzip members (RFC 1952) alone: 16 asks for their wrapper, 15 for the largest window.
static inline int belfry_inflate_begin_gzip(z_stream *stream) {
    return inflateInit2(stream, 16 + MAX_WBITS);
}
