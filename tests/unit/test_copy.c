/* SPDX-License-Identifier: ISC */
/* Copies: the bytes and permissions arrive, with and without help from the kernel, and a failed copy is not there. */
#include "files.h"

static gyi_sys sys;

static int copy_run(gy_fs *req, const char *from, const char *to, unsigned flags) {
    files_memory m = {.left = 10};
    files_request(req, &m, (gyi_fs_in){.path = from, .to = to, .flags = flags});
    int err = gyi_fs_copyfile(req, &sys);
    CHECK_EQ(m.blocks, 0);
    return err;
}

TEST(copy, files) {
    folder f;
    struct stat st;
    gy_fs req = {.user = NULL};
    folder_make(&f);
    const char *a = folder_put(&f, "a", "abcdef"), *b = folder_path(&f, "b");
    CHECK_EQ(chmod(a, 0666), 0);
    CHECK_EQ(copy_run(&req, a, b, GY_FS_COPY_CLONE), 0);
    CHECK_EQ(stat(b, &st), 0);
    CHECK_EQ(st.st_mode & 07777, 0666);
    CHECK(folder_has(&f, "b", "abcdef"));
    folder_put(&f, "b", "something longer");
    CHECK_EQ(copy_run(&req, a, b, 0), 0);
    CHECK_EQ(req.result, 6);
    CHECK(folder_has(&f, "b", "abcdef"));
    CHECK_EQ(copy_run(&req, a, b, GY_FS_COPY_EXCLUSIVE), -EEXIST);
    CHECK_EQ(link(a, folder_path(&f, "same")), 0);
    CHECK_EQ(copy_run(&req, a, folder_path(&f, "same"), 0), 0);
    CHECK(folder_has(&f, "a", "abcdef"));
    CHECK_EQ(copy_run(&req, f.path, folder_path(&f, "c"), 0), -EISDIR);
    CHECK_EQ(copy_run(&req, folder_path(&f, "none"), folder_path(&f, "c"), 0), -ENOENT);
    CHECK_EQ(copy_run(&req, "/dev/null", folder_path(&f, "c"), 0), -EINVAL);
    CHECK_EQ(copy_run(&req, a, f.path, 0), -EISDIR);
    CHECK_EQ(symlink(folder_path(&f, "nowhere"), folder_path(&f, "link")), 0);
    CHECK_EQ(copy_run(&req, a, folder_path(&f, "link"), 0), -ENOENT);
    CHECK(!folder_there(&f, "nowhere"));
    int err = copy_run(&req, a, folder_path(&f, "c"), GY_FS_COPY_FORCE);
    CHECK(err == 0 ? folder_has(&f, "c", "abcdef") : !folder_there(&f, "c"));
    folder_remove(&f);
}

#ifdef __linux__
/* Files that have contents and no size. */
TEST(copy, from_proc) {
    folder f;
    gy_fs req = {.user = NULL};
    folder_make(&f);
    CHECK_EQ(copy_run(&req, "/proc/self/status", folder_path(&f, "a"), 0), 0);
    CHECK(req.result > 100);
    folder_remove(&f);
}
#endif

TEST(copy, survives_every_failing_call) {
    folder f;
    int told = 0, calls, nth = 0;
    const int errors[] = {-EIO, -EXDEV};
    folder_make(&f);
    const char *a = folder_put(&f, "a", "abcdef"), *b = folder_path(&f, "b");
    int before = files_open();
    do {
        for (int i = 0; i < 2; i++) {
            gy_fs req = {.user = NULL};
            files_fail(i ? nth : ++nth, errors[i]);
            int err = copy_run(&req, a, b, 0);
            calls = files_calls;
            files_fail(0, 0);
            told += err != 0;
            CHECK(err == 0 || err == errors[i]);
            CHECK(err ? !folder_there(&f, "b") : folder_has(&f, "b", "abcdef"));
            unlink(b);
            CHECK_EQ(files_open(), before);
        }
    } while (calls >= nth);
    CHECK(told >= 9);
    folder_remove(&f);
}

TEST(copy, sends_to_any_descriptor) {
    folder f;
    int ends[2], told = 0;
    folder_make(&f);
    int from = open(folder_put(&f, "a", "abcdef"), O_RDONLY);
    CHECK_EQ(pipe(ends), 0);
    for (int nth = 0; nth < 5; nth++) {
        char got[16] = "";
        files_memory m = {.left = 10};
        gy_fs req = {.user = NULL};
        files_request(&req, &m, (gyi_fs_in){.fd = from, .other = ends[1], .at = 2, .len = 100});
        files_fail(nth, -EINVAL); /* "cannot", for the kernel's way; an error, for reading and writing */
        int err = gyi_fs_sendfile(&req, &sys);
        files_fail(0, 0);
        told += err != 0;
        CHECK(err ? err == -EINVAL : req.result == 4);
        if (req.result) CHECK_EQ(read(ends[0], got, sizeof got), 4);
        CHECK_STR(got, req.result ? "cdef" : "");
        CHECK_EQ(m.blocks, 0);
    }
    CHECK(told <= 1);
    close(ends[0]);
    close(ends[1]);
    close(from);
    folder_remove(&f);
}
