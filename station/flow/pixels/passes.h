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

#endif
