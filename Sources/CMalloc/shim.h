// glibc's account of its heap, which Swift's own module of glibc leaves out.
#pragma once

#include <malloc.h>

// Bytes that the process has allocated and not freed, in all arenas and mappings.
static inline unsigned long belfry_heap_bytes_in_use(void) {
    struct mallinfo2 info = mallinfo2();
    return info.uordblks + info.hblkhd;
}
