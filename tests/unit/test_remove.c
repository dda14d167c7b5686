/* SPDX-License-Identifier: ISC */
/* Removing trees: all of it, nothing beside it, any depth, and every failing call. */
#include "files.h"

static gyi_sys sys;

/* A tree with a directory that is not empty, and links to a file and a directory beside it that must survive. */
static void remove_plant(folder *f) {
    folder_dir(f, "t");
    folder_dir(f, "t/d");
    folder_dir(f, "t/d/e");
    folder_put(f, "t/a", "a");
    folder_put(f, "t/d/b", "b");
    CHECK_EQ(symlink("../out", folder_path(f, "t/link")), 0);
    CHECK_EQ(symlink("../../out", folder_path(f, "t/d/link")), 0);
    CHECK_EQ(symlink("../out/keep", folder_path(f, "t/file")), 0);
}

static int remove_run(const char *path, int64_t *removed) {
    files_memory m = {.left = 1000000};
    gy_fs req = {.user = NULL};
    files_request(&req, &m, (gyi_fs_in){.path = path});
    int err = gyi_fs_remove_tree(&req, &sys);
    *removed = req.result;
    CHECK_EQ(m.blocks, 0);
    return err;
}

TEST(remove, takes_the_tree_and_nothing_else) {
    folder f;
    int64_t n;
    int before = files_open();
    folder_make(&f);
    folder_dir(&f, "out");
    folder_put(&f, "out/keep", "keep");
    remove_plant(&f);
    CHECK_EQ(remove_run(folder_path(&f, "t"), &n), 0);
    CHECK_EQ(n, 8);
    CHECK(!folder_there(&f, "t"));
    CHECK(folder_has(&f, "out/keep", "keep"));
    CHECK_EQ(symlink("out", folder_path(&f, "l")), 0);
    CHECK_EQ(remove_run(folder_path(&f, "l//"), &n), 0);
    CHECK(!folder_there(&f, "l") && folder_has(&f, "out/keep", "keep"));
    CHECK_EQ(remove_run(folder_path(&f, "none"), &n), -ENOENT);
    CHECK_EQ(remove_run(folder_path(&f, "out/."), &n), -EINVAL);
    CHECK_EQ(remove_run(folder_path(&f, "out/../"), &n), -EINVAL);
    CHECK_EQ(remove_run("//", &n), -EINVAL);
    CHECK_EQ(remove_run("", &n), -ENOENT);
    CHECK_EQ(remove_run(folder_path(&f, "out/keep"), &n), 0);
    CHECK_EQ(n, 1);
    CHECK_EQ(files_open(), before);
    folder_remove(&f);
}

/* Deeper than any path may be long, and than there are descriptors. */
TEST(remove, any_depth) {
    enum { DEPTH = 3000 };
    folder f;
    int64_t n;
    folder_make(&f);
    int at = open(f.path, O_RDONLY | O_DIRECTORY);
    for (int i = 0; i < DEPTH; i++) {
        CHECK_EQ(mkdirat(at, "deep", 0700), 0);
        int next = openat(at, "deep", O_RDONLY | O_DIRECTORY);
        close(at);
        at = next;
    }
    close(at);
    CHECK_EQ(remove_run(folder_path(&f, "deep"), &n), 0);
    CHECK_EQ(n, DEPTH);
    folder_remove(&f);
}

/* After each failure the rest is still there, and a second attempt finishes it. */
TEST(remove, survives_every_failing_call) {
    folder f;
    int64_t n;
    int told = 0;
    folder_make(&f);
    folder_dir(&f, "out");
    folder_put(&f, "out/keep", "keep");
    int before = files_open();
    for (int nth = 1;; nth++) {
        remove_plant(&f);
        files_fail(nth, -EIO);
        int err = remove_run(folder_path(&f, "t"), &n), calls = files_calls;
        files_fail(0, 0);
        CHECK(err == 0 || err == -EIO);
        CHECK_EQ(files_open(), before);
        CHECK(folder_has(&f, "out/keep", "keep"));
        told += err != 0;
        CHECK_EQ(folder_there(&f, "t"), err != 0);
        if (err) CHECK_EQ(remove_run(folder_path(&f, "t"), &n), 0);
        if (calls < nth) break;
    }
    CHECK(told >= 20);
    folder_remove(&f);
}

TEST(remove, survives_a_lack_of_memory) {
    folder f;
    folder_make(&f);
    folder_dir(&f, "out");
    int before = files_open();
    for (int left = 0; left < 2; left++) {
        remove_plant(&f);
        files_memory m = {.left = left};
        gy_fs req = {.user = NULL};
        files_request(&req, &m, (gyi_fs_in){.path = folder_path(&f, "t")});
        CHECK_EQ(gyi_fs_remove_tree(&req, &sys), -ENOMEM);
        CHECK_EQ(m.blocks, 0);
        CHECK_EQ(files_open(), before);
        int64_t n;
        CHECK_EQ(remove_run(folder_path(&f, "t"), &n), 0);
    }
    folder_remove(&f);
}

/* While the calls are made, somebody puts a link to a directory outside in the place of the one that is next: the hook
 * does it before the nth call, for every n. */
static folder *remove_race;
static int remove_swap(gyi_syscall kind) {
    (void)kind;
    if (++files_calls != files_fail_at) return 0;
    if (rename(folder_path(remove_race, "t/d"), folder_path(remove_race, "moved"))) return 0;
    return symlink("../out", folder_path(remove_race, "t/d")) ? -EIO : 0;
}

TEST(remove, a_link_that_takes_the_place_of_a_directory_is_not_followed) {
    folder f;
    int64_t n;
    folder_make(&f);
    folder_dir(&f, "out");
    folder_put(&f, "out/keep", "keep");
    int before = files_open(), swapped = 0;
    remove_race = &f;
    for (int nth = 1; nth < 60; nth++) {
        remove_plant(&f);
        files_calls = 0;
        files_fail_at = nth;
        gyi_sys_fault = remove_swap;
        int err = remove_run(folder_path(&f, "t"), &n);
        gyi_sys_fault = NULL;
        CHECK(folder_has(&f, "out/keep", "keep"));
        CHECK_EQ(files_open(), before);
        CHECK(err == 0 || err == -ESTALE || err == -ENOTDIR);
        swapped += folder_there(&f, "moved");
        if (folder_there(&f, "t")) CHECK_EQ(remove_run(folder_path(&f, "t"), &n), 0);
        if (folder_there(&f, "moved")) CHECK_EQ(remove_run(folder_path(&f, "moved"), &n), 0);
    }
    CHECK(swapped >= 5);
    folder_remove(&f);
}

/* As somebody whom modes concern. */
TEST(remove, what_may_not_be_read_goes_when_it_is_empty) {
    folder f;
    int64_t n;
    uid_t me = geteuid();
    if (!me && seteuid(65534)) SKIP("permissions do not concern root");
    folder_make(&f);
    folder_dir(&f, "t");
    CHECK_EQ(chmod(folder_dir(&f, "t/empty"), 0), 0);
    CHECK_EQ(remove_run(folder_path(&f, "t"), &n), 0);
    CHECK_EQ(n, 2);
    CHECK(!folder_there(&f, "t"));
    CHECK_EQ(chmod(folder_dir(&f, "e"), 0), 0);
    CHECK_EQ(remove_run(folder_path(&f, "e"), &n), 0);
    folder_dir(&f, "full");
    folder_put(&f, "full/a", "a");
    CHECK_EQ(chmod(folder_path(&f, "full"), 0), 0);
    CHECK_EQ(remove_run(folder_path(&f, "full"), &n), -EACCES);
    CHECK_EQ(n, 0);
    CHECK_EQ(chmod(folder_path(&f, "full"), 0700), 0);
    CHECK(folder_has(&f, "full/a", "a"));
    folder_remove(&f);
    CHECK_EQ(seteuid(me), 0);
}
