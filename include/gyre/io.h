/* SPDX-License-Identifier: ISC */
/** @file io.h
 *  Watchers: "tell me when this descriptor can be read or written". For sockets of other libraries, pipes, devices;
 *  programs that move bytes are better served by streams (stream.h).
 *
 *  Any number of watchers may watch one descriptor. What the kernel is told is worked out once per turn, so stopping
 *  and restarting a watcher costs no system call. Loop thread only.
 */
#ifndef GYRE_IO_H
#define GYRE_IO_H

#include "gyre/loop.h"

#ifdef __cplusplus
extern "C" {
#endif

/** What a watcher waits for and what it is told. */
enum gy_io_events {
    GY_READABLE = 0x01, /**< a read would not block: data, the end, or an error */
    GY_PRIORITY = 0x02, /**< urgent (out of band) data; not with kqueue */
    GY_WRITABLE = 0x04, /**< a write would not block */
    GY_ERROR    = 0x08, /**< told only: the descriptor is in error; what was waited for is reported along with it */
    GY_HANGUP   = 0x10, /**< told only: the other side is gone; what was waited for is reported along with it */
    GY_EDGE     = 0x20, /**< asked only: report changes, not states: at least once for each change. Backends that cannot
                             ("poll", "sim") go on reporting states */
    GY_ONESHOT  = 0x40  /**< asked only: stop by itself before the first call */
};

typedef struct gy_io gy_io;

/** Called when the descriptor is ready. `err` is 0 and `events` says for what; or `err` is negative (-EBADF: the
 *  descriptor was closed; -ENOMEM, -ENOSPC: the kernel would not watch it) and the watcher has been stopped. */
typedef void gy_io_fn(gy_io *io, int err, unsigned events);

/** A watcher. The caller's memory, valid as `{0}`; it must stay while the watcher is active. */
struct gy_io {
    void *user;    /**< the program's */
    gy_loop *loop; /**< read only: where it was started last */
    /** @cond internal */
    struct {
        gy_io_fn *fn;
        struct gyi_watch watch;
    } priv;
    /** @endcond */
};

/** Starts watching `fd`, which stays the caller's: stop the watcher before closing it. The number may have been used
 *  before for another file, watched or not.
 *  @return 0; -EBADF for a negative number; -EINVAL without a function or without anything to wait for; -EALREADY when
 *  the watcher is active; -ENOTSUP for what the backend cannot watch; -ENOMEM. What only the kernel can know (a closed
 *  descriptor) comes to `fn`. */
GY_API int gy_io_start(gy_loop *loop, gy_io *io, int fd, unsigned events, gy_io_fn *fn);

/** Stops a watcher: its callback will not run, even if it was collected in this very turn, and the memory is the
 *  caller's again. Idle ones are ignored. */
GY_API void gy_io_stop(gy_io *io);

/** Changes what an active watcher waits for, or starts a stopped one again on the same descriptor, which must not have
 *  been closed since: the cheap form, without a system call when nothing changes in the end.
 *  @return 0; -EINVAL without anything to wait for, or when it was never started or was refused; -ENOTSUP as
 *  above. */
GY_API int gy_io_restart(gy_io *io, unsigned events);

/** Whether the watcher is active. */
GY_API bool gy_io_active(const gy_io *io);

/** The descriptor that it watches or watched last; -1 when it was never started. */
GY_API int gy_io_fd(const gy_io *io);

/** Whether an active watcher keeps gy_loop_run() going; it does unless told otherwise. Survives stop and start. */
GY_API void gy_io_ref(gy_io *io);
GY_API void gy_io_unref(gy_io *io); /**< the opposite of gy_io_ref() */

#ifdef __cplusplus
}
#endif
#endif
