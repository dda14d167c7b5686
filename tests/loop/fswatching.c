/* SPDX-License-Identifier: ISC */
/* Watching files and directories, as programs do it. Each wait ends with what was expected or, after ten seconds of
 * real time, as a failure. */
#include "fswatching.h"

TEST_BACKENDS(fswatching, a_directory) {
    if (seen_way(backend) == BY_LOOKING) SKIP("the kernel does not tell of changes");
    seen s;
    folder f;
    folder_make(&f);
    gy_loop *loop = seen_loop(backend, &s);
    seen_start(loop, &s, (gy_fswatch_opts){.path = f.path});
    CHECK_EQ(gy_fswatch_start(loop, &s.watch, (gy_fswatch_opts){.path = f.path, .fn = seen_event}), -EALREADY);
    folder_put(&f, "a", "abc");
    CHECK(seen_until(loop, &s, "created a\n"));
    append(&f, "a");
    CHECK(seen_until(loop, &s, "changed a\n"));
    CHECK_EQ(chmod(folder_path(&f, "a"), 0600), 0);
    CHECK(seen_until(loop, &s, "attributes a\n"));
    folder_dir(&f, "d");
    CHECK(seen_until(loop, &s, "created/ d\n"));
    CHECK_EQ(unlink(folder_path(&f, "a")), 0);
    CHECK(seen_until(loop, &s, "removed a\n"));
    CHECK_EQ(s.err, 0);
    seen_end(loop, &s, &f);
}

TEST_BACKENDS(fswatching, one_file) {
    seen s;
    folder f;
    folder_make(&f);
    gy_loop *loop = seen_loop(backend, &s);
    seen_start(loop, &s, (gy_fswatch_opts){.path = folder_put(&f, "a", "abc")});
    append(&f, "a");
    CHECK(seen_until(loop, &s, "changed \n"));
    CHECK_EQ(unlink(folder_path(&f, "a")), 0);
    CHECK(seen_until(loop, &s, "gone \n"));
    CHECK(!gy_fswatch_active(&s.watch));
    CHECK_EQ(s.gone, 1);
    seen_end(loop, &s, &f);
}

TEST_BACKENDS(fswatching, by_looking) {
    seen s;
    folder f;
    folder_make(&f);
    gy_loop *loop = seen_loop(backend, &s);
    seen_start(loop, &s, (gy_fswatch_opts){.path = folder_put(&f, "a", "abc"), .poll = GY_MS(1)});
    append(&f, "a");
    CHECK(seen_until(loop, &s, "changed \n"));
    CHECK_EQ(chmod(folder_path(&f, "a"), 0600), 0);
    CHECK(seen_until(loop, &s, "attributes \n"));
    CHECK_EQ(unlink(folder_path(&f, "a")), 0);
    CHECK(seen_until(loop, &s, "gone \n"));
    CHECK(!gy_fswatch_active(&s.watch));
    seen_start(loop, &s, (gy_fswatch_opts){.path = f.path, .poll = GY_MS(1)});
    folder_put(&f, "b", "");
    CHECK(seen_until(loop, &s, "rescan/ \n"));
    seen_end(loop, &s, &f);
}

TEST_BACKENDS(fswatching, bad_input) {
    seen s;
    folder f;
    folder_make(&f);
    gy_loop *loop = seen_loop(backend, &s);
    gy_fswatch *w = &s.watch;
    gy_fswatch_stop(w);
    CHECK_EQ(gy_fswatch_start(loop, w, (gy_fswatch_opts){.fn = seen_event}), -EINVAL);
    CHECK_EQ(gy_fswatch_start(loop, w, (gy_fswatch_opts){.path = f.path}), -EINVAL);
    CHECK_EQ(gy_fswatch_start(loop, w, (gy_fswatch_opts){.path = f.path, .fn = seen_event, .poll = -1}), -EINVAL);
    CHECK_EQ(gy_fswatch_start(loop, w, (gy_fswatch_opts){.path = f.path, .fn = seen_event, .coalesce = -1}), -EINVAL);
    CHECK_EQ(gy_fswatch_start(loop, w, (gy_fswatch_opts){.path = "", .fn = seen_event}), -ENOENT);
    CHECK_EQ(gy_fswatch_start(loop, w, (gy_fswatch_opts){.path = folder_path(&f, "no"), .fn = seen_event}), -ENOENT);
    CHECK_EQ(gy_fswatch_start(
                 loop, w, (gy_fswatch_opts){.path = f.path, .fn = seen_event, .poll = 1, .recursive = true}), -ENOTSUP);
    CHECK(!gy_fswatch_active(w));
    seen_start(loop, &s, (gy_fswatch_opts){.path = f.path});
    CHECK_EQ(gy_loop_free(loop), -EBUSY);
    gy_fswatch_unref(w);
    CHECK_EQ(gy_loop_run(loop), 0); /* nothing holds it */
    gy_fswatch_ref(w);
    seen_end(loop, &s, &f);
}

static void stop_event(gy_fswatch *watch, int err, const gy_fswatch_event *event) {
    (void)err, (void)event;
    int *calls = watch->user;
    ++*calls;
    gy_fswatch_stop(watch);
    free(watch);
}

/* The first of many events stops and frees. */
TEST_BACKENDS(fswatching, freed_in_the_callback) {
    seen s;
    folder f;
    folder_make(&f);
    gy_loop *loop = seen_loop(backend, &s);
    int calls = 0;
    gy_fswatch *w = calloc(1, sizeof *w);
    w->user = &calls;
    CHECK_EQ(gy_fswatch_start(loop, w, (gy_fswatch_opts){.path = f.path, .fn = stop_event}), 0);
    folder_put(&f, "a", "abc");
    folder_put(&f, "b", "abc");
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(calls, 1);
    seen_end(loop, &s, &f);
}

/* ---- what only the kernel can tell ------------------------------------------------------------------------------- */

TEST_BACKENDS(fswatching, a_tree) {
    seen s;
    folder f;
    folder_make(&f);
    gy_loop *loop = seen_loop(backend, &s);
    folder_dir(&f, "d");
    folder_dir(&f, "d/e");
    CHECK_EQ(symlink("..", folder_path(&f, "d/up")), 0);
    if (seen_start_tree(loop, &s, f.path)) {
        folder_put(&f, "d/e/a", "");
        CHECK(seen_until(loop, &s, "created d/e/a\n"));
        /* All of this is there before the first event of it is read. */
        folder_dir(&f, "n");
        folder_dir(&f, "n/m");
        folder_put(&f, "n/m/b", "");
        CHECK(seen_until(loop, &s, "created n/m/b\n"));
        CHECK(seen_has(&s, "created/ n\n") && seen_has(&s, "created/ n/m\n"));
        folder_put(&f, "n/m/c", "");
        CHECK(seen_until(loop, &s, "created n/m/c\n"));
        CHECK_EQ(unlink(folder_path(&f, "n/m/b")), 0);
        CHECK_EQ(unlink(folder_path(&f, "n/m/c")), 0);
        CHECK_EQ(rmdir(folder_path(&f, "n/m")), 0);
        CHECK(seen_until(loop, &s, "removed/ n/m\n"));
        folder_dir(&f, "n/m");
        folder_put(&f, "n/m/z", "");
        CHECK(seen_until(loop, &s, "created n/m/z\n"));
        CHECK(!seen_has(&s, "d/up/"));
        CHECK_EQ(s.err, 0);
    }
    seen_end(loop, &s, &f);
}

/* A directory is made in one that has another name, or even a successor, by the time of the event. */
TEST_BACKENDS(fswatching, a_tree_that_moves_at_once) {
    seen s;
    folder f;
    folder_make(&f);
    gy_loop *loop = seen_loop(backend, &s);
    if (seen_start_tree(loop, &s, f.path)) {
        folder_dir(&f, "t");
        CHECK(seen_until(loop, &s, "created/ t\n"));
        folder_dir(&f, "t/x");
        CHECK_EQ(rename(folder_path(&f, "t"), folder_path(&f, "u")), 0);
        CHECK(seen_until(loop, &s, "renamed/ u t\n"));
        folder_put(&f, "u/x/a", "");
        CHECK(seen_until(loop, &s, "created u/x/a\n"));
        folder_dir(&f, "u/y");
        CHECK_EQ(rename(folder_path(&f, "u"), folder_path(&f, "v")), 0);
        folder_dir(&f, "u");
        CHECK_EQ(mkdir(folder_path(&f, "u/y"), 0755), 0);
        CHECK(seen_until(loop, &s, "renamed/ v u\n"));
        CHECK(seen_until(loop, &s, "created/ u\n"));
        folder_put(&f, "v/y/b", "");
        folder_put(&f, "u/y/c", "");
        CHECK(seen_until(loop, &s, "created v/y/b\n"));
        CHECK(seen_until(loop, &s, "created u/y/c\n"));
    }
    seen_end(loop, &s, &f);
}

TEST_BACKENDS(fswatching, renames) {
    seen s;
    folder f, out;
    folder_make(&f);
    folder_make(&out);
    gy_loop *loop = seen_loop(backend, &s);
    folder_put(&f, "a", "");
    folder_dir(&f, "d");
    folder_dir(&f, "d/e");
    if (seen_start_tree(loop, &s, f.path)) {
        CHECK_EQ(rename(folder_path(&f, "a"), folder_path(&f, "d/b")), 0);
        CHECK(seen_until(loop, &s, "renamed d/b a\n"));
        CHECK_EQ(rename(folder_path(&f, "d"), folder_path(&f, "x")), 0);
        folder_put(&f, "x/e/c", "");
        CHECK(seen_until(loop, &s, "created x/e/c\n"));
        CHECK(seen_has(&s, "renamed/ x d\n"));
        /* Out of the tree and in again; meanwhile nothing in there is told. */
        s.timed = true;
        CHECK_EQ(rename(folder_path(&f, "x"), folder_path(&out, "y")), 0);
        CHECK(seen_until(loop, &s, "removed/ x\n"));
        folder_put(&out, "y/e/hidden", "");
        CHECK_EQ(rename(folder_path(&out, "y"), folder_path(&f, "z")), 0);
        CHECK(seen_until(loop, &s, "created z/e/hidden\n"));
        CHECK(!seen_has(&s, "x/e/hidden"));
        folder_put(&f, "z/e/q", "");
        CHECK(seen_until(loop, &s, "created z/e/q\n"));
        CHECK_EQ(s.err, 0);
    }
    folder_remove(&out);
    seen_end(loop, &s, &f);
}

static bool seen_order(const seen *s, const char *first, const char *second) {
    const char *one = strstr(s->log, first), *two = strstr(s->log, second);
    return one && two && one < two;
}

/* Who follows the events has the names that there are: what another file has replaced is not told of as gone later. */
TEST_BACKENDS(fswatching, renames_onto_one_another) {
    seen s;
    folder f;
    folder_make(&f);
    gy_loop *loop = seen_loop(backend, &s);
    const char *a = folder_put(&f, "a", ""), *b = folder_put(&f, "b", ""), *c = folder_put(&f, "c", "");
    if (s.by != BY_LOOKING) {
        seen_start(loop, &s, (gy_fswatch_opts){.path = f.path});
        CHECK_EQ(rename(b, c), 0);
        CHECK_EQ(rename(a, b), 0);
        folder_put(&f, "d", "");
        CHECK(seen_until(loop, &s, "created d\n"));
        CHECK(!seen_has(&s, "removed c\n") || seen_order(&s, "removed c\n", "renamed c b\n"));
        CHECK(!seen_has(&s, "removed b\n"));
        CHECK(seen_order(&s, "renamed c b\n", "renamed b a\n"));
        s.log[0] = 0;
        CHECK_EQ(rename(b, a), 0);
        CHECK_EQ(rename(c, b), 0);
        CHECK_EQ(rename(a, c), 0); /* b and c have changed places */
        folder_put(&f, "e", "");
        CHECK(seen_until(loop, &s, "created e\n"));
        if (s.by == BY_KQUEUE && seen_has(&s, "renamed c b\n"))
            CHECK(seen_order(&s, "removed c\n", "renamed c b\n") && seen_has(&s, "created b\n"));
        else if (s.by == BY_KQUEUE)
            CHECK(seen_order(&s, "removed b\n", "renamed b c\n") && seen_has(&s, "created c\n"));
    }
    seen_end(loop, &s, &f);
}

TEST_BACKENDS(fswatching, one_event_for_many_changes) {
    if (seen_way(backend) == BY_LOOKING) SKIP("the kernel does not tell of changes");
    seen s;
    folder f;
    folder_make(&f);
    gy_loop *loop = seen_loop(backend, &s);
    folder_put(&f, "a", "");
    seen_start(loop, &s, (gy_fswatch_opts){.path = f.path, .coalesce = GY_MS(50)});
    gy_ns begun = gy_loop_now(loop);
    for (int i = 0; i < 10; i++) {
        append(&f, "a");
        folder_put(&f, "b", "b");
    }
    CHECK(seen_until(loop, &s, "created b\n"));
    CHECK(gy_loop_now(loop) - begun >= GY_MS(50));
    CHECK(seen_has(&s, "changed a\n"));
    CHECK_EQ(s.calls, 2);
    seen_end(loop, &s, &f);
}

static int overflow_most(void) {
    int most = 16384;
    FILE *limit = fopen("/proc/sys/fs/inotify/max_queued_events", "r");
    if (limit && fscanf(limit, "%d", &most) != 1) most = 16384;
    if (limit) fclose(limit);
    return most;
}

/* More than the kernel's queue holds: two names in turn, so that it cannot merge them. */
static void overflow_cause(folder *f, const char *one, const char *two) {
    int a = open(folder_put(f, one, ""), O_WRONLY), b = open(folder_put(f, two, ""), O_WRONLY);
    for (int i = overflow_most(); i > 0; i--) CHECK_EQ(pwrite(i % 2 ? a : b, "x", 1, 0), 1);
    close(a);
    close(b);
}

TEST_BACKENDS(fswatching, overflow) {
    seen s;
    folder f;
    folder_make(&f);
    gy_loop *loop = seen_loop(backend, &s);
    folder_dir(&f, "d");
    if (overflow_most() <= 100000 && s.by == BY_INOTIFY && seen_start_tree(loop, &s, f.path)) {
        overflow_cause(&f, "a", "b");
        folder_put(&f, "d/unseen", "");
        s.log[0] = 0;
        for (int i = 0; i < 10000 && !s.rescans; i++) CHECK(gy_loop_step(loop, GY_STEP_POLL) >= 0);
        CHECK_EQ(s.rescans, 1);
        s.log[0] = 0;
        folder_put(&f, "d/later", "");
        CHECK(seen_until(loop, &s, "created d/later\n"));
    }
    seen_end(loop, &s, &f);
}

/* The tree was read after the moves of which events come still: by its new path, y stands in what it has taken in. */
TEST_BACKENDS(fswatching, overflow_before_a_move) {
    seen s;
    folder f;
    folder_make(&f);
    gy_loop *loop = seen_loop(backend, &s);
    folder_dir(&f, "y");
    folder_dir(&f, "z");
    folder_dir(&f, "z/n");
    if (overflow_most() <= 100000 && s.by == BY_INOTIFY && seen_start_tree(loop, &s, f.path)) {
        overflow_cause(&f, "a", "b");
        for (int i = 0; i < 10; i++) CHECK(gy_loop_step(loop, GY_STEP_POLL) >= 0); /* some room in the queue */
        CHECK_EQ(s.rescans, 0);
        for (int i = 0; i < 150; i++) append(&f, i % 2 ? "a" : "b"); /* another block for what follows */
        CHECK_EQ(rename(folder_path(&f, "z/n"), folder_path(&f, "y/m")), 0);
        CHECK_EQ(mkdir(folder_path(&f, "z/n"), 0755), 0);
        CHECK_EQ(rename(folder_path(&f, "y"), folder_path(&f, "z/n/y")), 0);
        for (int i = 0; i < 100000 && !s.rescans; i++) CHECK(gy_loop_step(loop, GY_STEP_POLL) >= 0);
        s.log[0] = 0;
        folder_put(&f, "end", "");
        CHECK(seen_until(loop, &s, "created end\n"));
        folder_put(&f, "z/n/y/m/c", "");
        CHECK(seen_until(loop, &s, "created z/n/y/m/c\n"));
    }
    seen_end(loop, &s, &f);
}

/* The kernel tells the end of the path once, and may lose that, too: the path is removed, or another has its name. */
TEST_BACKENDS(fswatching, overflow_may_hide_the_end) {
    for (int again = 0; again < 2; again++) {
        seen s;
        folder f;
        folder_make(&f);
        gy_loop *loop = seen_loop(backend, &s);
        const char *d = folder_dir(&f, "d");
        if (overflow_most() <= 100000 && s.by == BY_INOTIFY) {
            seen_start(loop, &s, (gy_fswatch_opts){.path = d, .recursive = again == 0});
            overflow_cause(&f, "d/a", "d/b");
            CHECK_EQ(rename(d, folder_path(&f, "e")), 0);
            if (again) CHECK_EQ(mkdir(d, 0755), 0);
            for (int i = 0; i < 100000 && !s.gone; i++) CHECK(gy_loop_step(loop, GY_STEP_POLL) >= 0);
            CHECK_EQ(s.rescans, 1);
            CHECK_EQ(s.gone, 1);
            CHECK_EQ(s.err, 0);
            CHECK(!gy_fswatch_active(&s.watch));
        }
        seen_end(loop, &s, &f);
    }
}

static int limit_after;

static int limit_fault(gyi_syscall kind) { return kind == GYI_SYS_NOTIFY && limit_after-- == 0 ? -ENOSPC : 0; }

/* The user's limit is met at the start, and later. */
TEST_BACKENDS(fswatching, too_many_directories) {
    seen s;
    folder f;
    folder_make(&f);
    gy_loop *loop = seen_loop(backend, &s);
    gy_fswatch_opts opts = {.path = f.path, .fn = seen_event, .recursive = true};
    folder_dir(&f, "d");
    if (s.by == BY_INOTIFY && seen_start_tree(loop, &s, f.path)) {
        gy_fswatch_stop(&s.watch);
        limit_after = 2; /* opening, the root, d */
        gyi_sys_fault = limit_fault;
        CHECK_EQ(gy_fswatch_start(loop, &s.watch, opts), -ENOSPC);
        CHECK(!gy_fswatch_active(&s.watch));
        gyi_sys_fault = NULL;
        CHECK_EQ(gy_fswatch_start(loop, &s.watch, opts), 0);
        folder_dir(&f, "n");
        limit_after = 1; /* reading, n */
        gyi_sys_fault = limit_fault;
        CHECK(seen_until(loop, &s, "created/ n\n"));
        CHECK(seen_until(loop, &s, "rescan/ n\n"));
        gyi_sys_fault = NULL;
        CHECK_EQ(s.err, -ENOSPC);
        CHECK(gy_fswatch_active(&s.watch));
    }
    gyi_sys_fault = NULL;
    seen_end(loop, &s, &f);
}

/* Whatever has found no memory when a directory moved: that is told, and what is below is watched still. */
TEST_BACKENDS(fswatching, a_move_without_memory) {
    for (int left = 0; left < 12; left++) {
        seen s;
        folder f;
        files_memory m = {.left = 1 << 20};
        folder_make(&f);
        gy_loop *loop = seen_loop(backend, &s);
        CHECK_EQ(gy_loop_free(loop), 0);
        gy_loop_opts opts = {.backend = backend, .alloc = {files_alloc, files_free, &m}};
        CHECK_EQ(gy_loop_new(&loop, opts), 0);
        folder_dir(&f, "d");
        folder_dir(&f, "d/deep");
        folder_dir(&f, "d/deep/er");
        if (s.by == BY_INOTIFY && seen_start_tree(loop, &s, f.path)) {
            CHECK_EQ(rename(folder_path(&f, "d"), folder_path(&f, "e")), 0);
            m.left = left;
            s.timed = !strcmp(backend, "sim");
            for (int i = 0; i < 100; i++) CHECK(gy_loop_step(loop, GY_STEP_POLL) >= 0);
            m.left = 1 << 20;
            CHECK(s.rescans || seen_has(&s, "renamed/ e d\n"));
            s.log[0] = 0;
            folder_put(&f, "e/deep/a", "");
            CHECK(seen_until(loop, &s, "created e/deep/a\n"));
            folder_put(&f, "e/deep/er/b", "");
            CHECK(seen_until(loop, &s, "created e/deep/er/b\n"));
        }
        seen_end(loop, &s, &f);
        CHECK_EQ(m.blocks, 0);
    }
}
