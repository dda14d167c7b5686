/* SPDX-License-Identifier: ISC */
/* Watching a tree while everything fails in turn. */
#include "../unit/files.h"
#include "gyre/fswatch.h"
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

static void tree_begin(torture *t) {
    tree *s = (tree *)t;
    folder_make(&s->f);
    folder_dir(&s->f, "d");
    gy_fswatch_opts opts = {.path = s->f.path, .fn = tree_event, .recursive = true};
    int err = gy_fswatch_start(t->loop, &s->watch, opts);
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
