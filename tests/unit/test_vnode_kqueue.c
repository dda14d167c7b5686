/* SPDX-License-Identifier: ISC */
/* Events of open files: what is told of a file and of a directory, and what is refused. */
#include "files.h"
#include <time.h>

#include "sys/fd.h"
#include "sys/vnode.h"

/* What has happened, to any descriptor, before long. */
static unsigned vnode_told(gyi_sys *sys, int queue) {
    gyi_vnode_event events[8];
    unsigned what = 0;
    for (int i = 0; i < 1000 && !what; i++) {
        int got = gyi_vnode_read(sys, queue, events, 8);
        CHECK(got >= 0);
        for (int k = 0; k < got; k++) what |= events[k].what;
        if (!what) nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    return what;
}

TEST(vnode_kqueue, files_and_directories) {
    gyi_sys sys = {{0}};
    gyi_stat st;
    gyi_vnode_event event;
    folder f;
    folder_make(&f);
    const char *path = folder_put(&f, "a", "abc");
    int queue = gyi_vnode_open(&sys);
    CHECK(queue >= 0);
    int fd = gyi_vnode_watch(&sys, queue, path, GYI_FOLLOW, &st);
    CHECK(fd >= 0 && st.size == 3);
    CHECK_EQ(gyi_vnode_read(&sys, queue, &event, 1), 0);
    folder_put(&f, "a", "");
    CHECK(vnode_told(&sys, queue) & (GYI_VNODE_ATTRIBUTES | GYI_VNODE_WRITTEN));
    CHECK_EQ(rename(path, folder_path(&f, "b")), 0);
    CHECK_EQ(vnode_told(&sys, queue), GYI_VNODE_MOVED);
    CHECK_EQ(unlink(folder_path(&f, "b")), 0);
    CHECK(vnode_told(&sys, queue) & GYI_VNODE_UNLINKED);
    gyi_fd_close(&sys, fd);
    fd = gyi_vnode_watch(&sys, queue, f.path, GYI_NOFOLLOW, &st);
    CHECK(fd >= 0);
    folder_dir(&f, "d");
    CHECK_EQ(vnode_told(&sys, queue), GYI_VNODE_WRITTEN | GYI_VNODE_LINKED);
    gyi_fd_close(&sys, fd);
    gyi_fd_close(&sys, queue);
    CHECK(sys.count[GYI_SYS_NOTIFY] > 6);
    folder_remove(&f);
}

TEST(vnode_kqueue, what_is_refused) {
    gyi_sys sys = {{0}};
    gyi_stat st;
    folder f;
    folder_make(&f);
    int queue = gyi_vnode_open(&sys);
    CHECK(queue >= 0);
    CHECK_EQ(symlink("x", folder_path(&f, "l")), 0);
    CHECK_EQ(mkfifo(folder_path(&f, "p"), 0600), 0);
    int before = files_open();
    CHECK_EQ(gyi_vnode_watch(&sys, queue, folder_path(&f, "no"), GYI_FOLLOW, &st), -ENOENT);
    CHECK_EQ(gyi_vnode_watch(&sys, queue, folder_path(&f, "l"), GYI_NOFOLLOW, &st), -ELOOP);
    CHECK_EQ(gyi_vnode_watch(&sys, queue, folder_path(&f, "p"), GYI_FOLLOW, &st), -ENOTSUP);
    for (int nth = 1; nth <= 3; nth++) {
        files_fail(nth, -EIO);
        CHECK_EQ(gyi_vnode_watch(&sys, queue, f.path, GYI_FOLLOW, &st), -EIO);
    }
    files_fail(1, -EIO);
    CHECK_EQ(gyi_vnode_open(&sys), -EIO);
    files_fail(0, 0);
    CHECK_EQ(files_open(), before);
    gyi_fd_close(&sys, queue);
    folder_remove(&f);
}
