/* SPDX-License-Identifier: ISC */
/** @file base.h
 *  The words that every other header uses: time, buffers, errors, memory, and the way from a handle to its owner.
 *
 *  Nothing here needs a loop. Every function may be called from any thread.
 */
#ifndef GYRE_BASE_H
#define GYRE_BASE_H

#include <stddef.h>
#include <stdint.h>

#define GY_VERSION_MAJOR 0 /**< the version of these headers: 0.x makes no promise of compatibility */
#define GY_VERSION_MINOR 1 /**< raised with additions */
#define GY_VERSION_PATCH 0 /**< raised with corrections */

#ifdef __cplusplus
extern "C" {
#endif

/** @cond internal */
#if defined(__GNUC__) || defined(__clang__)
#define GY_API __attribute__((visibility("default")))
#else
#define GY_API
#endif
/** @endcond */

/** The version of the linked library as "major.minor.patch". The text is static. */
GY_API const char *gy_version(void);

/* ---- time ---------------------------------------------------------------------------------------------------- */

/** Nanoseconds: a duration, or a point on a clock (which one is said where it is used). Signed, 292 years each way. */
typedef int64_t gy_ns;

/** @cond internal */
#ifdef __cplusplus
#define GYI_NS(n) static_cast<gy_ns>(n)
#else
#define GYI_NS(n) ((gy_ns)(n))
#endif
/** @endcond */
#define GY_US(n) GYI_NS((n)*INT64_C(1000))       /**< microseconds as gy_ns */
#define GY_MS(n) GYI_NS((n)*INT64_C(1000000))    /**< milliseconds as gy_ns */
#define GY_S(n)  GYI_NS((n)*INT64_C(1000000000)) /**< seconds as gy_ns */

/** No time limit. */
#define GY_FOREVER INT64_MAX

/* ---- buffers ------------------------------------------------------------------------------------------------- */

/** A piece of memory that somebody else owns. Its layout is that of `struct iovec`. */
typedef struct gy_buf {
    void *base; /**< the first byte; may be NULL when `len` is 0 */
    size_t len; /**< in bytes */
} gy_buf;

/** The whole of an array as a gy_buf. Not for pointers: their length is not known. */
#ifdef __cplusplus
#define GY_BUF(array) (gy_buf{(array), sizeof(array)})
#else
#define GY_BUF(array) ((gy_buf){(array), sizeof(array)})
#endif

/* ---- owners -------------------------------------------------------------------------------------------------- */

/** The struct around a member: `GY_OF(timer, struct session, idle)` is the session whose `idle` is `*timer`.
 *  A pointer of another type than the member's is diagnosed by the compiler. `ptr` is evaluated once. */
#ifdef __cplusplus
#define GY_OF(ptr, type, member)                                                                                      \
    (reinterpret_cast<type *>(const_cast<char *>(reinterpret_cast<const volatile char *>(                             \
                                  true ? (ptr) : &static_cast<type *>(nullptr)->member)) -                            \
                              offsetof(type, member)))
#else
#define GY_OF(ptr, type, member)                                                                                      \
    ((type *)(void *)((char *)(1 ? (ptr) : (__typeof__(&((type *)0)->member))0) - offsetof(type, member)))
#endif

/* ---- errors -------------------------------------------------------------------------------------------------- */

/** Results are 0 or positive when all went well, and negative otherwise: `-errno` for an error of the system, one of
 *  these for an error of the library's own. The library's own lie below -4000, so the two never meet. */
enum gy_error {
    GY_EOF        = -4001, /**< the peer has sent everything and closed its side */
    GY_ECANCELED  = -4002, /**< the operation was cancelled before it was done */
    GY_EUNHANDLED = -4003, /**< an "error" event had no listener */
    GY_ECLOSED    = -4004, /**< the handle is closed or closing */
    GY_EADDRESS   = -4005, /**< the text is not an address */
    GY_EBACKLOG   = -4006, /**< more is queued than the limit that was set allows */
    GY_EEMITTED   = -4007, /**< an "error" event was emitted, and nobody said which error it means */

    /* Of looking up names (dns.h). */
    GY_ENONAME    = -4020, /**< nobody knows the name */
    GY_ENOADDRESS = -4021, /**< the name exists, without an address of the family that was asked for */
    GY_ENOSERVICE = -4022, /**< nobody knows the service */
    GY_ETRYAGAIN  = -4023, /**< nobody who knows could be asked: the same may work later */
    GY_ERESOLVER  = -4024  /**< the resolver failed, and will again */
};

/** The name of an error as it stands in source code: "ECONNRESET", "GY_EOF". Never NULL; the text is static.
 *  A number that is no error gives "OK" (0 or positive) or "UNKNOWN". */
GY_API const char *gy_error_name(int err);

/** One sentence for people about an error, without the final full stop. Never NULL; the text is static and English. */
GY_API const char *gy_error_text(int err);

/* ---- memory -------------------------------------------------------------------------------------------------- */

/** Where a loop or a pool gets its memory. All zero means the C library's malloc and free.
 *  The functions are called by the threads that use the object they were given to. */
typedef struct gy_alloc {
    void *(*alloc)(size_t size, void *ctx); /**< NULL when there is none; aligned for any type; need not be zeroed */
    void (*free)(void *ptr, void *ctx);     /**< `ptr` came from `alloc`; never NULL */
    void *ctx;                              /**< handed to both */
} gy_alloc;

/* ---- what handles embed -------------------------------------------------------------------------------------- */

/** @cond internal */
/* The library's own fields inside handles. They are here because the compiler must know how large a handle is, and
 * for no other reason: programs read and write none of them. */

/* An entry of the callback queue. `next` is NULL exactly when the entry is on no queue. */
struct gyi_entry {
    struct gyi_entry *next, *prev;
    void (*run)(struct gyi_entry *);
};

/* A point in time that waits in the timer wheel, in its heap, or (as `entry`) on the callback queue. */
struct gyi_timed {
    gy_ns due;
    uint64_t order; /* start sequence << 8 | flags */
    union {
        struct {
            struct gyi_timed *child, *next;
            void *prev;
        } link;
        struct gyi_entry entry;
    } at;
};

/* Somebody who watches a descriptor. */
struct gyi_watch {
    struct gyi_entry entry;
    struct gyi_watch *next; /* the next watcher of the same descriptor */
    int fd;                 /* negative: why the kernel would not watch it, where that is not kept apart */
    uint16_t want;          /* GY_READABLE ... plus flags */
    int8_t deaf;            /* the events that need a second look before they are for this watcher */
    uint8_t got;            /* while queued: what was collected */
};
/** @endcond */

#ifdef __cplusplus
}
#endif
#endif
