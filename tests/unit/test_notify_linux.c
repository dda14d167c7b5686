/* SPDX-License-Identifier: ISC */
/* inotify: what each event becomes, descriptors, numbers that are given back. */
#include "files.h"
#include "sys/notify.h"

TEST(notify_linux, events_of_a_directory) {
    folder f;
    gyi_sys sys = {{0}};
    gyi_notify_block block;
    gyi_notify_event e = {.id = 0};
    folder_make(&f);
    int fd = gyi_notify_open(&sys);
    CHECK(fd >= 0);
    CHECK((fcntl(fd, F_GETFD) & FD_CLOEXEC) && (fcntl(fd, F_GETFL) & O_NONBLOCK));
    CHECK_EQ(gyi_notify_read(&sys, fd, &block), -EAGAIN);
    CHECK_EQ(gyi_notify_add(&sys, fd, folder_path(&f, "no"), GYI_NOTIFY_ROOT), -ENOENT);
    int id = gyi_notify_add(&sys, fd, f.path, GYI_NOTIFY_ROOT);
    CHECK_EQ(gyi_notify_add(&sys, fd, f.path, GYI_NOTIFY_ROOT), id);
    folder_dir(&f, "d");
    folder_put(&f, "a", "");
    CHECK_EQ(gyi_notify_add(&sys, fd, folder_path(&f, "a"), GYI_NOTIFY_BELOW), -ENOTDIR);
    int got = gyi_notify_read(&sys, fd, &block);
    int at = gyi_notify_next(&block, 0, &e);
    CHECK(e.id == id && e.what == (GYI_NOTIFY_CREATED | GYI_NOTIFY_DIR));
    CHECK_STR(e.name, "d");
    CHECK_EQ(gyi_notify_next(&block, at, &e), got);
    CHECK_EQ(e.what, GYI_NOTIFY_CREATED);
    CHECK_STR(e.name, "a");
    CHECK_EQ(rename(folder_path(&f, "a"), folder_path(&f, "b")), 0);
    CHECK(gyi_notify_read(&sys, fd, &block) > 0);
    at = gyi_notify_next(&block, 0, &e);
    uint32_t cookie = e.cookie;
    CHECK_EQ(e.what, GYI_NOTIFY_MOVED_FROM);
    gyi_notify_next(&block, at, &e);
    CHECK(e.what == GYI_NOTIFY_MOVED_TO && e.cookie == cookie);
    CHECK_EQ(gyi_notify_remove(&sys, fd, id), 0);
    CHECK_EQ(gyi_notify_remove(&sys, fd, id), -EINVAL);
    CHECK(gyi_notify_read(&sys, fd, &block) > 0);
    gyi_notify_next(&block, 0, &e);
    CHECK(e.id == id && e.what == GYI_NOTIFY_ENDED);
    CHECK_EQ(sys.count[GYI_SYS_NOTIFY], 11);
    close(fd);
    folder_remove(&f);
}
