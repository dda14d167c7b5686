/* SPDX-License-Identifier: ISC */
/* Events of open files: EVFILT_VNODE of kqueue, in a queue of their own.
 *
 * A knote goes with the descriptor that it is about, so nothing is ever removed and no event of a closed descriptor is
 * left. Registrations are EV_CLEAR: what has happened to a file since the last report comes as one event. */
#include "sys/vnode.h"

#include <sys/types.h>

#include <fcntl.h>
#include <limits.h>
#include <sys/event.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <unistd.h>

#include "sys/fd.h"

/* macOS has a way of opening that needs no right to read and does not keep a file system from being unmounted. */
#ifdef O_EVTONLY
enum { VNODE_FLAGS = O_EVTONLY };
#else
enum { VNODE_FLAGS = O_RDONLY };
#endif

enum { VNODE_ROOM = 64 };

static const unsigned VNODE_ALL =
    NOTE_DELETE | NOTE_WRITE | NOTE_EXTEND | NOTE_ATTRIB | NOTE_LINK | NOTE_RENAME | NOTE_REVOKE;

int gyi_vnode_open(gyi_sys *sys) {
    int err = gyi_sys_enter(sys, GYI_SYS_NOTIFY);
    if (err) return err;
    int queue = kqueue();
    if (queue < 0) return -errno;
    err = gyi_fd_cloexec(sys, queue);
    if (!err) return queue;
    gyi_fd_close(sys, queue);
    return err;
}

/* Of a limit that cannot be known, all may be used. */
static int vnode_most(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur > INT_MAX) return INT_MAX;
    return (int)(limit.rlim_cur / 2);
}

static int vnode_add(gyi_sys *sys, int queue, int fd) {
    static const struct timespec now = {0, 0};
    struct kevent change;
    int err = gyi_sys_enter(sys, GYI_SYS_NOTIFY);
    if (err) return err;
    EV_SET(&change, (uintptr_t)fd, EVFILT_VNODE, EV_ADD | EV_CLEAR, VNODE_ALL, 0, 0);
    if (kevent(queue, &change, 1, NULL, 0, &now) >= 0) return 0;
    return errno == EINVAL || errno == EOPNOTSUPP ? -ENOTSUP : -errno; /* of a file system that cannot tell */
}

int gyi_vnode_watch(gyi_sys *sys, int queue, const char *path, gyi_follow follow, gyi_stat *out) {
    int flags = VNODE_FLAGS | O_NONBLOCK | (follow == GYI_NOFOLLOW ? O_NOFOLLOW : 0);
    int fd = gyi_file_open(sys, gyi_file_here, path, flags, 0);
    if (fd < 0) return fd == -EMLINK ? -ELOOP : fd;
    int err = fd < vnode_most() ? vnode_add(sys, queue, fd) : -EMFILE;
    if (!err) err = gyi_file_fstat(sys, fd, out); /* afterwards, so that nothing falls between */
    gyi_file_kind kind = err ? GYI_FILE_UNKNOWN : gyi_file_kind_of(out->mode);
    if (!err && kind != GYI_FILE_REGULAR && kind != GYI_FILE_DIR) err = -ENOTSUP;
    if (!err) return fd;
    gyi_fd_close(sys, fd);
    return err;
}

static unsigned vnode_what(unsigned notes) {
    static const struct {
        unsigned notes;
        unsigned what;
    } rows[] = {{NOTE_WRITE | NOTE_EXTEND, GYI_VNODE_WRITTEN},
                {NOTE_ATTRIB, GYI_VNODE_ATTRIBUTES},
                {NOTE_LINK, GYI_VNODE_LINKED},
                {NOTE_DELETE, GYI_VNODE_UNLINKED},
                {NOTE_RENAME, GYI_VNODE_MOVED},
                {NOTE_REVOKE, GYI_VNODE_ENDED}};
    unsigned what = 0;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) what |= notes & rows[i].notes ? rows[i].what : 0;
    return what;
}

int gyi_vnode_read(gyi_sys *sys, int queue, gyi_vnode_event *out, int room) {
    static const struct timespec now = {0, 0};
    struct kevent got[VNODE_ROOM];
    if (room > VNODE_ROOM) room = VNODE_ROOM;
    int err = gyi_sys_enter(sys, GYI_SYS_NOTIFY);
    int count = err ? err : kevent(queue, NULL, 0, got, room, &now);
    if (count < 0) return err ? err : errno == EINTR ? 0 : -errno;
    for (int i = 0; i < count; i++)
        out[i] = (gyi_vnode_event){.fd = (int)got[i].ident, .what = vnode_what(got[i].fflags)};
    return count;
}
