/* SPDX-License-Identifier: ISC */
/* Going from one stack to another, and telling those who watch the stack pointer (sanitizers, valgrind) about it.
 *
 * A switch saves what a called function has to preserve on the stack that is left, and takes it from the stack that is
 * entered: to the compiler it is a call that returns late. It is written by hand for x86-64, aarch64, arm and riscv64;
 * anywhere else, and with GYI_SWITCH_UCONTEXT defined, it is swapcontext(), which asks the kernel each time. */
#ifndef GYI_TASK_SWITCH_H
#define GYI_TASK_SWITCH_H

#include <stddef.h>
#include <stdint.h>

#if !defined(GYI_SWITCH_UCONTEXT)
#if defined(__x86_64__) && defined(__LP64__) && !defined(_WIN32)
#define GYI_SWITCH_ASM 1
#elif defined(__aarch64__) && defined(__LP64__)
#define GYI_SWITCH_ASM 1
#elif defined(__arm__) && defined(__ARM_EABI__) && defined(__ARM_PCS_VFP) && __ARM_ARCH >= 6
#define GYI_SWITCH_ASM 1
#elif defined(__riscv) && __riscv_xlen == 64 && defined(__riscv_float_abi_double)
#define GYI_SWITCH_ASM 1
#endif
#endif

#if defined(GYI_SWITCH_ASM)

/* Where somebody stopped: the stack pointer, under which the registers lie. */
typedef struct gyi_context {
    void *sp;
} gyi_context;

#else

#include <ucontext.h>

typedef struct gyi_context {
    ucontext_t at;
} gyi_context;

#endif

/* Prepares a context: who switches to it first calls entry(arg), which must never return, on the stack that ends (is
 * entered) at `top`, aligned to 16, and begins at `low`. */
void gyi_switch_make(gyi_context *to, void *low, void *top, void (*entry)(void *), void *arg);

/* Leaves the running code in `from` and goes on in `to`. Returns when somebody switches to `from`. */
void gyi_switch(gyi_context *from, gyi_context *to);

/* ---- what sanitizers are told -------------------------------------------------------------------------------- */

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define GYI_SWITCH_ASAN 1
#endif
#if __has_feature(thread_sanitizer)
#define GYI_SWITCH_TSAN 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define GYI_SWITCH_ASAN 1
#endif
#if defined(__SANITIZE_THREAD__)
#define GYI_SWITCH_TSAN 1
#endif

/* The bounds of a stack, as the address sanitizer wants to know them before each switch, and the frames that it keeps
 * apart for whoever is away. */
typedef struct gyi_switch_watch {
#if defined(GYI_SWITCH_ASAN)
    const void *low;
    size_t size;
    void *frames;
#endif
#if defined(GYI_SWITCH_TSAN)
    void *fiber;
#endif
    char nothing;
} gyi_switch_watch;

#if defined(GYI_SWITCH_ASAN)
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>

static inline void gyi_watch_stack(gyi_switch_watch *watch, void *low, size_t size) {
    watch->low = low;
    watch->size = size;
    ASAN_UNPOISON_MEMORY_REGION(low, size); /* frames that never returned have left their marks */
}

/* Before a switch. `from` is NULL when nobody will come back. */
static inline void gyi_watch_leave(gyi_switch_watch *from, gyi_switch_watch *to) {
    __sanitizer_start_switch_fiber(from ? &from->frames : NULL, to->low, to->size);
}

/* After a switch, on the stack that was entered. The bounds of the one that was left go to `left`. */
static inline void gyi_watch_enter(gyi_switch_watch *self, gyi_switch_watch *left) {
    const void *low;
    size_t size;
    __sanitizer_finish_switch_fiber(self->frames, &low, &size);
    left->low = low;
    left->size = size;
}

static inline void gyi_watch_end(gyi_switch_watch *watch) { ASAN_UNPOISON_MEMORY_REGION(watch->low, watch->size); }

#elif defined(GYI_SWITCH_TSAN)
#include <sanitizer/tsan_interface.h>

static inline void gyi_watch_stack(gyi_switch_watch *watch, void *low, size_t size) {
    (void)low;
    (void)size;
    watch->fiber = __tsan_create_fiber(0);
}

static inline void gyi_watch_leave(gyi_switch_watch *from, gyi_switch_watch *to) {
    if (from) from->fiber = __tsan_get_current_fiber();
    __tsan_switch_to_fiber(to->fiber, 0);
}

static inline void gyi_watch_enter(gyi_switch_watch *self, gyi_switch_watch *left) {
    (void)self;
    (void)left;
}

static inline void gyi_watch_end(gyi_switch_watch *watch) { __tsan_destroy_fiber(watch->fiber); }

#else

static inline void gyi_watch_stack(gyi_switch_watch *watch, void *low, size_t size) {
    (void)watch;
    (void)low;
    (void)size;
}
static inline void gyi_watch_leave(gyi_switch_watch *from, gyi_switch_watch *to) {
    (void)from;
    (void)to;
}
static inline void gyi_watch_enter(gyi_switch_watch *self, gyi_switch_watch *left) {
    (void)self;
    (void)left;
}
static inline void gyi_watch_end(gyi_switch_watch *watch) { (void)watch; }

#endif
#endif
