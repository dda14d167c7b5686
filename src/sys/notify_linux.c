/* SPDX-License-Identifier: ISC */
/* Changes to files on Linux: inotify. */
#include "sys/notify.h"

#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "sys/filecall.h"

static const uint32_t NOTIFY_NAMES = IN_CREATE | IN_DELETE | IN_MODIFY | IN_ATTRIB | IN_MOVED_FROM | IN_MOVED_TO;

int gyi_notify_open(gyi_sys *sys) {
    GYI_FILE_CALL(sys, GYI_SYS_NOTIFY, int, inotify_init1(IN_NONBLOCK | IN_CLOEXEC))
}

int gyi_notify_add(gyi_sys *sys, int fd, const char *path, gyi_notify_part part) {
    uint32_t more = part == GYI_NOTIFY_ROOT ? IN_DELETE_SELF | IN_MOVE_SELF : IN_ONLYDIR | IN_DONT_FOLLOW;
    uint32_t mask = NOTIFY_NAMES | more;
    GYI_FILE_CALL(sys, GYI_SYS_NOTIFY, int, inotify_add_watch(fd, path, mask))
}

int gyi_notify_remove(gyi_sys *sys, int fd, int id) {
    GYI_FILE_CALL(sys, GYI_SYS_NOTIFY, int, inotify_rm_watch(fd, id))
}

int gyi_notify_read(gyi_sys *sys, int fd, gyi_notify_block *to) {
    GYI_FILE_CALL(sys, GYI_SYS_NOTIFY, int, (int)read(fd, to->bytes, sizeof to->bytes))
}

static unsigned notify_what(uint32_t mask) {
    static const struct {
        uint32_t mask;
        unsigned what;
    } rows[] = {{IN_CREATE, GYI_NOTIFY_CREATED},
                {IN_DELETE, GYI_NOTIFY_REMOVED},
                {IN_MODIFY, GYI_NOTIFY_CHANGED},
                {IN_ATTRIB, GYI_NOTIFY_ATTRIBUTES},
                {IN_MOVED_FROM, GYI_NOTIFY_MOVED_FROM},
                {IN_MOVED_TO, GYI_NOTIFY_MOVED_TO},
                {IN_DELETE_SELF | IN_MOVE_SELF | IN_UNMOUNT, GYI_NOTIFY_GONE},
                {IN_IGNORED, GYI_NOTIFY_ENDED},
                {IN_Q_OVERFLOW, GYI_NOTIFY_OVERFLOW},
                {IN_ISDIR, GYI_NOTIFY_DIR}};
    unsigned what = 0;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) what |= mask & rows[i].mask ? rows[i].what : 0;
    return what;
}

int gyi_notify_next(const gyi_notify_block *block, int at, gyi_notify_event *out) {
    struct inotify_event e; /* copied: the kernel aligns the next one for itself, not for every machine */
    memcpy(&e, block->bytes + at, sizeof e);
    const char *name = (const char *)block->bytes + at + sizeof e;
    *out = (gyi_notify_event){.id = e.wd, .what = notify_what(e.mask), .cookie = e.cookie, .name = e.len ? name : ""};
    return at + (int)sizeof e + (int)e.len;
}
