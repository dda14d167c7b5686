/* SPDX-License-Identifier: ISC */
/* Watching a tree while everything fails in turn. */
#include "../unit/files.h"
#include "gyre/fswatch.h"
#include "sys/notify.h"
#include "torture.h"

typedef struct tree {
    torture t;
    gy_fswatch watch;
    folder f;
} tree;

static void tree_event(gy_fswatch *watch, int err, const gy_fswatch_event *event) {
    tree *s = GY_OF(watch, tree, watch);
    torture_try(&s->t, err);
    if (event->kind == GY_FSWATCH_RESCAN || event->kind == GY_FSWATCH_GONE) torture_try(&s->t, -ENOMEM);
    if (!strcmp(event->name, "n/b") || event->kind == GY_FSWATCH_CHANGED) s->t.done = true;
}

static int (*tree_fault)(gyi_syscall kind); /* the torture's own */
static bool tree_refused;

static int tree_no_inotify(gyi_syscall kind) {
    bool first = kind == GYI_SYS_NOTIFY && !tree_refused;
    tree_refused |= first;
    return first ? -ENOTSUP : tree_fault ? tree_fault(kind) : 0;
}

/* By inotify, and on the kqueue backend of a machine with both by a kqueue. */
static int tree_start(torture *t, gy_fswatch_opts opts) {
    gyi_sys sys = {{0}};
    tree_fault = gyi_sys_fault;
    gyi_sys_fault = NULL;
    int notify = gyi_notify_open(&sys);
    if (notify >= 0) close(notify);
    tree_refused = notify < 0 || strcmp(gy_loop_backend(t->loop), "kqueue") != 0;
    gyi_sys_fault = tree_no_inotify;
    int err = gy_fswatch_start(t->loop, &((tree *)t)->watch, opts);
    gyi_sys_fault = tree_fault;
    return err;
}

static void tree_begin(torture *t) {
    tree *s = (tree *)t;
    folder_make(&s->f);
    folder_dir(&s->f, "d");
    int err = tree_start(t, (gy_fswatch_opts){.path = s->f.path, .fn = tree_event, .recursive = true});
    CHECK_EQ(gy_fswatch_active(&s->watch), err == 0);
    if (!torture_try(t, err)) return;
    folder_put(&s->f, "a", "");
    CHECK_EQ(rename(folder_path(&s->f, "a"), folder_path(&s->f, "d/a")), 0);
    folder_dir(&s->f, "n");
    folder_put(&s->f, "n/b", "");
}

static void looked_begin(torture *t) {
    tree *s = (tree *)t;
    folder_make(&s->f);
    const char *path = folder_put(&s->f, "a", "abc");
    int err = gy_fswatch_start(t->loop, &s->watch, (gy_fswatch_opts){.path = path, .fn = tree_event, .poll = GY_MS(1)});
    if (torture_try(t, err)) folder_put(&s->f, "a", "more than that");
}

static void tree_end(torture *t) {
    tree *s = (tree *)t;
    gy_fswatch_stop(&s->watch);
    if (s->f.path[0]) folder_remove(&s->f);
    s->f.path[0] = 0;
}

static bool tree_ended(torture *t) {
    return gy_loop_step(t->loop, GY_STEP_POLL) >= 0 && !gy_fswatch_active(&((tree *)t)->watch);
}

TEST_BACKENDS(torture, a_watched_tree) {
    torture_run(backend, &(torture_scenario){
                             .size = sizeof(tree), .begin = tree_begin, .end = tree_end, .ended = tree_ended});
}

TEST_BACKENDS(torture, a_file_that_is_looked_at) {
    torture_run(backend, &(torture_scenario){
                             .size = sizeof(tree), .begin = looked_begin, .end = tree_end, .ended = tree_ended});
}
