/* SPDX-License-Identifier: ISC */
/* Whole files in the test's own thread: every call and every allocation fails once, and nothing is left behind. */
#include "files.h"

static gyi_sys sys;

TEST(whole, reads_what_is_there) {
    folder f;
    files_memory m = {.left = 100};
    gy_fs req = {.user = NULL};
    folder_make(&f);
    files_request(&req, &m, (gyi_fs_in){.path = folder_put(&f, "a", "hello")});
    CHECK_EQ(gyi_fs_read_file(&req, &sys), 0);
    CHECK_EQ(req.result, 5);
    CHECK_EQ(req.data.len, 5);
    CHECK_STR(req.data.base, "hello");
    files_request(&req, &m, (gyi_fs_in){.path = folder_put(&f, "b", "")});
    CHECK_EQ(gyi_fs_read_file(&req, &sys), 0);
    CHECK_EQ(req.data.len, 0);
    files_request(&req, &m, (gyi_fs_in){.path = folder_path(&f, "a"), .buf = {NULL, 5}});
    CHECK_EQ(gyi_fs_read_file(&req, &sys), 0);
    files_request(&req, &m, (gyi_fs_in){.path = folder_path(&f, "a"), .buf = {NULL, 4}});
    CHECK_EQ(gyi_fs_read_file(&req, &sys), -EFBIG);
    files_request(&req, &m, (gyi_fs_in){.path = f.path});
    CHECK_EQ(gyi_fs_read_file(&req, &sys), -EISDIR);
    files_request(&req, &m, (gyi_fs_in){.path = folder_path(&f, "none")});
    CHECK_EQ(gyi_fs_read_file(&req, &sys), -ENOENT);
    CHECK_EQ(m.blocks, 0);
    folder_remove(&f);
}

static void whole_fill_fifo(const char *path, size_t size) {
    if (fork()) return;
    int fd = open(path, O_WRONLY);
    char page[1000];
    memset(page, 'x', sizeof page);
    for (size_t left = size; left;) {
        ssize_t n = write(fd, page, left < sizeof page ? left : sizeof page);
        if (n < 0) _exit(1);
        left -= (size_t)n;
    }
    _exit(0);
}

TEST(whole, reads_what_has_no_size) {
    folder f;
    files_memory m = {.left = 100};
    gy_fs req = {.user = NULL};
    folder_make(&f);
    const char *fifo = folder_path(&f, "fifo");
    CHECK_EQ(mkfifo(fifo, 0600), 0);
    whole_fill_fifo(fifo, 100000);
    files_request(&req, &m, (gyi_fs_in){.path = fifo});
    CHECK_EQ(gyi_fs_read_file(&req, &sys), 0);
    CHECK_EQ(req.data.len, 100000);
    for (size_t i = 0; i < req.data.len; i++) CHECK_EQ(((char *)req.data.base)[i], 'x');
    whole_fill_fifo(fifo, 10000);
    files_request(&req, &m, (gyi_fs_in){.path = fifo, .buf = {NULL, 9999}});
    CHECK_EQ(gyi_fs_read_file(&req, &sys), -EFBIG);
    CHECK_EQ(m.blocks, 0);
    folder_remove(&f);
}

TEST(whole, writes_new_files_and_replaces_old_ones) {
    folder f;
    struct stat st;
    files_memory m = {.left = 100};
    gy_fs req = {.user = NULL};
    folder_make(&f);
    gy_buf data = {(char[]){"fresh"}, 5};
    mode_t mask = umask(022);
    files_request(&req, &m, (gyi_fs_in){.path = folder_path(&f, "a"), .buf = data});
    CHECK_EQ(gyi_fs_write_file(&req, &sys), 0);
    CHECK_EQ(req.result, 5);
    CHECK(folder_has(&f, "a", "fresh"));
    CHECK_EQ(stat(folder_path(&f, "a"), &st), 0);
    CHECK_EQ(st.st_mode & 07777, 0644);
    CHECK_EQ(chmod(folder_put(&f, "b", "old"), 0666), 0);
    files_request(&req, &m, (gyi_fs_in){.path = folder_path(&f, "b"), .buf = data, .flags = GYI_FS_NOSYNC});
    CHECK_EQ(gyi_fs_write_file(&req, &sys), 0);
    CHECK_EQ(stat(folder_path(&f, "b"), &st), 0);
    CHECK_EQ(st.st_mode & 07777, 0666);
    CHECK_EQ(symlink("b", folder_path(&f, "l")), 0);
    files_request(&req, &m, (gyi_fs_in){.path = folder_path(&f, "l"), .mode = 0606});
    CHECK_EQ(gyi_fs_write_file(&req, &sys), 0);
    CHECK(folder_has(&f, "b", "fresh") && folder_has(&f, "l", ""));
    CHECK_EQ(lstat(folder_path(&f, "l"), &st), 0);
    CHECK_EQ(st.st_mode & 07777, 0606);
    CHECK(S_ISREG(st.st_mode));
    umask(mask);
    CHECK_EQ(folder_count(&f), 3);
    CHECK_EQ(m.blocks, 0);
    folder_remove(&f);
}

TEST(whole, refuses_to_write_where_no_file_can_be) {
    folder f;
    files_memory m = {.left = 100};
    gy_fs req = {.user = NULL};
    folder_make(&f);
    folder_dir(&f, "d");
    folder_put(&f, "a", "");
    const struct {
        const char *name;
        int err;
    } bad[] = {{"d", -EISDIR},  {"d/", -EISDIR},   {"d/.", -EISDIR},
               {"..", -EISDIR}, {"no/a", -ENOENT}, {"a/b", -ENOTDIR}};
    for (unsigned mode = 0; mode <= 0600; mode += 0600) {
        for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
            files_request(&req, &m, (gyi_fs_in){.path = folder_path(&f, bad[i].name), .mode = mode});
            CHECK_EQ(gyi_fs_write_file(&req, &sys), bad[i].err);
        }
    }
    files_request(&req, &m, (gyi_fs_in){.path = ""});
    CHECK_EQ(gyi_fs_write_file(&req, &sys), -ENOENT);
    CHECK_EQ(folder_count(&f), 2);
    CHECK_EQ(m.blocks, 0);
    folder_remove(&f);
}

/* Runs an operation with the nth call failing, for every n, until none is reached. @return how many failures it told
 * of. Whatever `check` says must hold after each failure. */
static int whole_torture(folder *f, gyi_fs_run_fn *run, gyi_fs_in in, bool (*check)(folder *, int)) {
    int before = files_open(), told = 0;
    for (int n = 1;; n++) {
        files_memory m = {.left = 100};
        gy_fs req = {.user = NULL};
        files_request(&req, &m, in);
        files_fail(n, -EDQUOT);
        int err = run(&req, &sys);
        int calls = files_calls;
        files_fail(0, 0);
        CHECK(err == 0 || err == -EDQUOT);
        CHECK(check(f, err));
        gy_fs_release(&req);
        CHECK_EQ(m.blocks, 0);
        CHECK_EQ(files_open(), before);
        if (calls < n) return err ? -1 : told;
        told += err != 0;
    }
}

static bool whole_intact(folder *f, int err) {
    (void)err;
    return folder_count(f) == 1 && folder_has(f, "a", "old");
}

/* The old contents, except when the last step is what failed; and never a file beside it. */
static int whole_late;
static bool whole_atomic(folder *f, int err) {
    bool old = folder_has(f, "a", "old"), fresh = folder_has(f, "a", "fresh");
    whole_late += err && fresh;
    folder_put(f, "a", "old");
    return folder_count(f) == 1 && (err ? old || fresh : fresh);
}

TEST(whole, survives_every_failing_call) {
    folder f;
    folder_make(&f);
    gyi_fs_in in = {.path = folder_put(&f, "a", "old")};
    CHECK(whole_torture(&f, gyi_fs_read_file, in, whole_intact) >= 3);
    in.buf = (gy_buf){(char[]){"fresh"}, 5};
    CHECK(whole_torture(&f, gyi_fs_write_file, in, whole_atomic) >= 8);
    CHECK_EQ(whole_late, 1);
    folder_remove(&f);
}

TEST(whole, survives_a_lack_of_memory) {
    folder f;
    int before = files_open();
    files_memory m = {.left = 0};
    gy_fs req = {.user = NULL};
    folder_make(&f);
    files_request(&req, &m, (gyi_fs_in){.path = folder_put(&f, "a", "old")});
    CHECK_EQ(gyi_fs_read_file(&req, &sys), -ENOMEM);
    CHECK_EQ(gyi_fs_write_file(&req, &sys), -ENOMEM);
    CHECK(folder_has(&f, "a", "old"));
    CHECK_EQ(folder_count(&f), 1);
    CHECK_EQ(files_open(), before);
    folder_remove(&f);
}
