/* What every pass is declared with. */

#ifndef STATION_PASSES_H
#define STATION_PASSES_H

#include <stddef.h>
#include <stdint.h>

/* A pass is compiled three times where the compiler can, and the loader takes the one whose vectors this processor has.
 * All give the same bits: nothing is contracted and no sum of floats is reordered, see build.py. */
#if defined(__x86_64__) && defined(__GLIBC__) && !defined(STATION_ONE_TARGET) && \
    (__clang_major__ >= 17 || (!defined(__clang__) && __GNUC__ >= 12))
#define PASS __attribute__((visibility("default"), target_clones("default", "arch=x86-64-v3", "arch=x86-64-v4")))
#else
#define PASS __attribute__((visibility("default")))
#endif

/* Part of a pass, compiled as that is. */
#define STEP static inline __attribute__((always_inline))

enum {
    CACHE_LINE = 64, /* bytes that memory gives at once */
    AHEAD = 2,       /* lines that memory is asked for in advance; processors ask for no more than a page */
};

/* Asks memory for some columns of a line that is looked at soon. */
STEP void fetch(const uint8_t *line, int columns)
{
    for (int start = 0; start < columns; start += CACHE_LINE)
        __builtin_prefetch(line + start);
}

#endif
