/* SPDX-License-Identifier: ISC */
/* Bit arithmetic that C11 has no operator for. The builtins are those of gcc and clang, the only compilers that the
 * library is built with; each becomes one instruction where the machine has it. */
#ifndef GYI_BASE_BITS_H
#define GYI_BASE_BITS_H

#include <stdint.h>

#define GYI_LIKELY(x)   __builtin_expect(!!(x), 1)
#define GYI_UNLIKELY(x) __builtin_expect(!!(x), 0)

/* A function that becomes part of each of its few callers, so that each can be made for its case. */
#define GYI_FUSED inline __attribute__((always_inline))

/* A function that is kept out of its callers: because it is rarely needed, or because the caller, where it runs most
 * often, does not need it, and would save registers for it. */
#define GYI_APART __attribute__((noinline))
#define GYI_RARE  __attribute__((noinline, cold))

/* A moment's rest for a thread that looks again and again whether another has changed something: the processor gives
 * its units to the other thread of the core, if there is one, and the memory is left alone meanwhile. */
#if defined(__x86_64__) || defined(__i386__)
static inline void gyi_relax(void) {
    for (int i = 0; i < 8; i++) __builtin_ia32_pause();
}
#elif defined(__aarch64__)
static inline void gyi_relax(void) {
    for (int i = 0; i < 8; i++) __asm__ volatile("isb" ::: "memory");
}
#else
static inline void gyi_relax(void) {}
#endif

/* The position of the highest set bit; `x` is not 0. */
static inline unsigned gyi_bit_high(uint64_t x) { return 63U ^ (unsigned)__builtin_clzll(x); }

/* The position of the lowest set bit; `x` is not 0. */
static inline unsigned gyi_bit_low(uint64_t x) { return (unsigned)__builtin_ctzll(x); }

/* The smallest power of two that is not below `x`, for x from 1 to 2^31. */
static inline uint32_t gyi_pow2_up(uint32_t x) { return x <= 1 ? 1 : 1U << (gyi_bit_high(x - 1) + 1); }

/* One step of splitmix64 (Steele, Lea, Flood 2014, "Fast splittable pseudorandom number generators"). */
static inline uint64_t gyi_random(uint64_t *state) {
    uint64_t z = *state += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

#endif
