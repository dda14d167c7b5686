/* SPDX-License-Identifier: ISC */
/* A watcher's record for tests of its parts: made by starting a real one on a folder by looking, once an hour. */
#ifndef GY_TESTS_UNIT_WATCHERS_H
#define GY_TESTS_UNIT_WATCHERS_H

#include "files.h"
#include "fs/fswatch.h"

typedef struct watched {
    folder f;
    gy_loop *loop;
    gy_fswatch watch;
    gyi_watcher *w;
    int calls, err;
    bool mute; /* count only */
    char log[512];
} watched;

static inline void watched_event(gy_fswatch *watch, int err, const gy_fswatch_event *event) {
    watched *t = GY_OF(watch, watched, watch);
    char line[96];
    t->calls++;
    t->err = err;
    if (t->mute) return;
    snprintf(line, sizeof line, "%d%s;", (int)event->kind, event->name);
    strcat(t->log, line);
}

static inline void watched_begin(watched *t, gy_ns coalesce) {
    *t = (watched){.calls = 0};
    folder_make(&t->f);
    CHECK_EQ(gy_loop_new(&t->loop, (gy_loop_opts){.backend = "sim"}), 0);
    gy_fswatch_opts opts = {.path = t->f.path, .fn = watched_event, .poll = GY_S(3600), .coalesce = coalesce};
    CHECK_EQ(gy_fswatch_start(t->loop, &t->watch, opts), 0);
    t->w = t->watch.priv.watcher;
}

static inline void watched_add(watched *t, gy_fswatch_kind kind, const char *name) {
    gyi_watcher_add(t->w, &(gyi_happened){.kind = kind, .dir = "", .name = name});
}

static inline void watched_end(watched *t) {
    gy_fswatch_stop(&t->watch);
    CHECK_EQ(gy_loop_run(t->loop), 0);
    CHECK_EQ(gy_loop_free(t->loop), 0);
    folder_remove(&t->f);
}

#endif
