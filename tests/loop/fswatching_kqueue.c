/* SPDX-License-Identifier: ISC */
/* What is particular to being told by a kqueue: names come from comparing lists, files have descriptors of their own,
 * and those that cannot have one are looked at. */
#include <sys/resource.h>

#include "fs/fswatch.h"
#include "fswatching.h"

/* A watcher on a folder, or a skipped test. */
#define BEGIN()                                                                                                       \
    seen s;                                                                                                           \
    folder f;                                                                                                         \
    if (seen_way(backend) != BY_KQUEUE) SKIP("not told by a kqueue");                                                 \
    folder_make(&f);                                                                                                  \
    gy_loop *loop = seen_loop(backend, &s)

TEST_BACKENDS(fswatching, replaced_and_cut) {
    BEGIN();
    folder_put(&f, "a", "abc");
    folder_put(&f, "b", "bcd");
    seen_start(loop, &s, (gy_fswatch_opts){.path = f.path});
    CHECK_EQ(truncate(folder_path(&f, "b"), 1), 0);
    CHECK(seen_until(loop, &s, "changed b\n"));
    CHECK_EQ(rename(folder_path(&f, "a"), folder_path(&f, "b")), 0);
    CHECK(seen_until(loop, &s, "renamed b a\n"));
    append(&f, "b");
    s.log[0] = 0;
    CHECK(seen_until(loop, &s, "changed b\n"));
    CHECK_EQ(mkfifo(folder_path(&f, "p"), 0600), 0);
    CHECK(seen_until(loop, &s, "created p\n"));
    CHECK_EQ(unlink(folder_path(&f, "p")), 0);
    CHECK(seen_until(loop, &s, "removed p\n"));
    seen_end(loop, &s, &f);
}

TEST_BACKENDS(fswatching, one_of_two_names) {
    BEGIN();
    const char *path = folder_put(&f, "a", "abc");
    CHECK_EQ(link(path, folder_path(&f, "b")), 0);
    seen_start(loop, &s, (gy_fswatch_opts){.path = path});
    CHECK_EQ(unlink(folder_path(&f, "b")), 0);
    CHECK(seen_until(loop, &s, "attributes \n"));
    CHECK_EQ(s.gone, 0);
    CHECK_EQ(rename(path, folder_path(&f, "c")), 0);
    CHECK(seen_until(loop, &s, "gone \n"));
    seen_end(loop, &s, &f);
}

TEST_BACKENDS(fswatching, the_directory_itself_goes) {
    BEGIN();
    const char *path = folder_dir(&f, "d");
    folder_dir(&f, "d/e");
    CHECK(seen_start_tree(loop, &s, path));
    CHECK_EQ(rmdir(folder_path(&f, "d/e")), 0);
    CHECK(seen_until(loop, &s, "removed/ e\n"));
    CHECK_EQ(rmdir(path), 0);
    CHECK(seen_until(loop, &s, "gone \n"));
    CHECK_EQ(s.err, 0);
    seen_end(loop, &s, &f);
}

/* A directory that moves, with changes in it before anybody has looked, and is watched at its new path. */
TEST_BACKENDS(fswatching, a_directory_moves_deep) {
    BEGIN();
    folder_dir(&f, "d");
    folder_dir(&f, "d/e");
    folder_dir(&f, "o");
    folder_put(&f, "d/e/a", "");
    CHECK(seen_start_tree(loop, &s, f.path));
    folder_put(&f, "d/e/b", "");
    CHECK_EQ(rename(folder_path(&f, "d"), folder_path(&f, "o/x")), 0);
    CHECK_EQ(unlink(folder_path(&f, "o/x/e/a")), 0);
    CHECK(seen_until(loop, &s, "renamed/ o/x d\n"));
    CHECK(seen_until(loop, &s, "created o/x/e/b\n"));
    CHECK(seen_until(loop, &s, "removed o/x/e/a\n"));
    append(&f, "o/x/e/b");
    CHECK(seen_until(loop, &s, "changed o/x/e/b\n"));
    CHECK_EQ(s.rescans, 0);
    seen_end(loop, &s, &f);
}

/* A fifo is nothing that a kqueue tells of in this way. */
TEST_BACKENDS(fswatching, no_file) {
    BEGIN();
    const char *path = folder_path(&f, "p");
    CHECK_EQ(mkfifo(path, 0600), 0);
    seen_start(loop, &s, (gy_fswatch_opts){.path = path});
    CHECK_EQ(unlink(path), 0);
    CHECK(seen_until(loop, &s, "gone \n"));
    seen_end(loop, &s, &f);
}

enum { LIMIT_FILES = 20, LIMIT_OPEN = 8 };

/* Leaves descriptors for a few files only. */
static struct rlimit limit_begin(gy_loop *loop, seen *s, folder *f) {
    struct rlimit old, low;
    seen_start(loop, s, (gy_fswatch_opts){.path = f->path}); /* whatever is opened once is open now */
    gy_fswatch_stop(&s->watch);
    CHECK_EQ(getrlimit(RLIMIT_NOFILE, &old), 0);
    int next = dup(0);
    CHECK(next >= 0);
    close(next);
    low = old;
    low.rlim_cur = (rlim_t)(next + LIMIT_OPEN) * 2;
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &low), 0);
    return old;
}

TEST_BACKENDS(fswatching, more_files_than_descriptors) {
    BEGIN();
    char name[16], line[32];
    folder_dir(&f, "z");
    folder_put(&f, "z/in", "");
    for (int i = 0; i < LIMIT_FILES; i++) {
        snprintf(name, sizeof name, "%d", i);
        folder_put(&f, name, "");
    }
    struct rlimit old = limit_begin(loop, &s, &f);
    CHECK(seen_start_tree(loop, &s, f.path));
    gyi_watcher *w = s.watch.priv.watcher;
    int looked = 0;
    for (gyi_entry *e = w->looked.next; e != &w->looked; e = e->next) looked++;
    CHECK(looked >= LIMIT_FILES + 2 - LIMIT_OPEN && looked < LIMIT_FILES + 2);
    s.timed = true;
    for (int i = 0; i < LIMIT_FILES; i++) {
        snprintf(name, sizeof name, "%d", i);
        append(&f, name);
    }
    append(&f, "z/in");
    for (int i = 0; i < LIMIT_FILES; i++) {
        snprintf(line, sizeof line, "changed %d\n", i);
        CHECK(seen_until(loop, &s, line));
    }
    CHECK(seen_until(loop, &s, "changed z/in\n"));
    for (int i = 0; i < LIMIT_FILES; i++) {
        snprintf(name, sizeof name, "%d", i);
        CHECK_EQ(unlink(folder_path(&f, name)), 0);
    }
    for (int i = 0; i < LIMIT_FILES; i++) {
        snprintf(line, sizeof line, "removed %d\n", i);
        CHECK(seen_until(loop, &s, line));
    }
    folder_put(&f, "z/new", "");
    CHECK(seen_until(loop, &s, "created z/new\n"));
    CHECK_EQ(s.err, 0);
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &old), 0);
    seen_end(loop, &s, &f);
}

/* ---- without memory ---------------------------------------------------------------------------------------------- */

static size_t short_of; /* which allocation fails; 0: none */
static bool short_for_long; /* and all that follow */

static void *short_alloc(size_t size, void *ctx) {
    (void)ctx;
    if (!short_of || --short_of) return malloc(size);
    short_of = short_for_long;
    return NULL;
}

static void short_free(void *ptr, void *ctx) {
    (void)ctx;
    free(ptr);
}

/* Makes directories while an allocation fails, and then a file in the deepest, once there is memory. */
static void memory_comes_back(const char *backend, size_t nth) {
    BEGIN();
    CHECK_EQ(gy_loop_free(loop), 0);
    gy_loop_opts opts = {.backend = backend, .alloc = {.alloc = short_alloc, .free = short_free}};
    CHECK_EQ(gy_loop_new(&loop, opts), 0);
    folder_dir(&f, "d");
    CHECK(seen_start_tree(loop, &s, f.path));
    short_of = nth;
    folder_dir(&f, "d/e");
    folder_dir(&f, "d/e/f");
    for (int i = 0; i < 1000 && (!s.calls || short_for_long) && !s.rescans; i++) {
        CHECK(gy_loop_step(loop, GY_STEP_POLL) >= 0);
        nanosleep(&(struct timespec){.tv_nsec = 100000}, NULL);
    }
    short_of = 0;
    folder_put(&f, "d/e/f/x", "");
    CHECK(seen_until(loop, &s, "created d/e/f/x\n"));
    append(&f, "d/e/f/x");
    CHECK(seen_until(loop, &s, "changed d/e/f/x\n"));
    CHECK_EQ(s.gone, 0);
    seen_end(loop, &s, &f);
}

TEST_BACKENDS(fswatching, one_allocation_fails) {
    short_for_long = false;
    for (size_t nth = 1; nth <= 25; nth++) memory_comes_back(backend, nth);
}

TEST_BACKENDS(fswatching, memory_is_short_for_a_while) {
    short_for_long = true;
    for (size_t nth = 1; nth <= 10; nth++) memory_comes_back(backend, nth);
}
