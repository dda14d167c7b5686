/* SPDX-License-Identifier: ISC */
/* Bytes from one descriptor to another that do not pass through the process. Each function moves at most `len` bytes
 * once, and answers with their number, 0 at the end of the source, or -errno; -ENOTSUP whenever this system, or this
 * pair of descriptors, has to be served by reading and writing. None raises SIGPIPE. */
#ifndef GYI_SYS_MOVE_H
#define GYI_SYS_MOVE_H

#include "sys/sys.h"

/* From a file to a socket or a pipe. `at` is an offset, or negative for the descriptor's position, which is moved then.
 * May wait for the device, and never for a `to` that is non-blocking. */
int64_t gyi_move_send(gyi_sys *sys, int from, int64_t at, int to, size_t len);

/* From a socket or a pipe to another, one of which is a pipe. -EAGAIN: the source has nothing, or `to` has no room, and
 * gyi_move_ready() says which. */
int64_t gyi_move_splice(gyi_sys *sys, int from, int to, size_t len);

/* Which of the two would not wait just now: the sum of GYI_MOVE_FROM and GYI_MOVE_TO; or -errno. */
enum { GYI_MOVE_FROM = 1, GYI_MOVE_TO = 2 };
int gyi_move_ready(gyi_sys *sys, int from, int to);

/* From file to file, offsets as above for each. May wait for both devices. */
int64_t gyi_move_copy(gyi_sys *sys, int from, int64_t from_at, int to, int64_t to_at, size_t len);

/* How many of the `len` bytes from `at` on can be read without waiting for the device: all that there are up to the end
 * of the file, or 0, which also means that it is not known. What is in memory now may be gone a moment later. */
size_t gyi_move_cached(gyi_sys *sys, int fd, int64_t at, size_t len);

#endif
