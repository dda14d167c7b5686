/* SPDX-License-Identifier: ISC */
/* Descriptors of any kind. */
#ifndef GYI_SYS_FD_H
#define GYI_SYS_FD_H

#include <signal.h>
#include <sys/types.h>

#include "sys/sys.h"

/* How a descriptor was opened. */
enum { GYI_FD_READS = 1, GYI_FD_WRITES = 2, GYI_FD_WAITS = 4 };

/* GYI_FD_ bits, or -errno. */
int gyi_fd_mode(gyi_sys *sys, int fd);

/* Whether it waits is a property of the open file, which other descriptors and other processes may share. */
int gyi_fd_nonblock(gyi_sys *sys, int fd);
int gyi_fd_blocking(gyi_sys *sys, int fd);

int gyi_fd_cloexec(gyi_sys *sys, int fd);

/* Whether it is a regular file or a directory: always ready, for poll(), and not to be watched, for others. */
bool gyi_fd_is_file(int fd);

bool gyi_fd_is_pipe(int fd);

/* Sets the permission bits of a path. */
int gyi_fd_chmod(gyi_sys *sys, const char *path, unsigned mode);

/* Closes. The number is free afterwards whatever the result, as on Linux, the BSDs and macOS, so there is none. */
void gyi_fd_close(gyi_sys *sys, int fd);

/* A pipe, both ends close-on-exec and non-blocking. */
int gyi_fd_pipe(gyi_sys *sys, int ends[2]);

/* Reads or writes once, again after EINTR. @return bytes or -errno. */
ssize_t gyi_fd_read(gyi_sys *sys, int fd, void *to, size_t len);
/* Writing raises no SIGPIPE. Where the descriptor has to be told so, gyi_fd_quiet() does. */
int gyi_fd_quiet(gyi_sys *sys, int fd);
ssize_t gyi_fd_writev(gyi_sys *sys, int fd, const gy_buf *from, unsigned count);

/* Around a call that would raise SIGPIPE and cannot be told not to: the signal is blocked in this thread, and taken
 * back if the call has raised it, that is, failed with EPIPE. `errno` stays as it is. */
typedef struct gyi_hush {
    sigset_t before;
    bool blocked; /* it was already */
    bool pending; /* and there was one, which is somebody else's */
} gyi_hush;
void gyi_fd_hush(gyi_hush *hush);
void gyi_fd_unhush(const gyi_hush *hush, bool raised);

#endif
