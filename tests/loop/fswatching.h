/* SPDX-License-Identifier: ISC */
/* What the tests of watching have in common: a record of what was told, and the ways to be told.
 *
 * On a machine with inotify and with a kqueue (which then is the tests' own), watchers on the kqueue backend are made
 * to use the kqueue: for the moment of their start there is no inotify. */
#ifndef GY_TESTS_LOOP_FSWATCHING_H
#define GY_TESTS_LOOP_FSWATCHING_H

#include <time.h>

#include "../unit/files.h"
#include "gyre/fswatch.h"
#include "gyre/timer.h"
#include "sys/notify.h"
#include "sys/vnode.h"

typedef enum seen_by { BY_LOOKING, BY_INOTIFY, BY_KQUEUE } seen_by;

/* How watchers hear of changes on a backend. */
static inline seen_by seen_way(const char *backend) {
    gyi_sys sys = {{0}};
    int notify = gyi_notify_open(&sys), vnode = gyi_vnode_open(&sys);
    if (notify >= 0) close(notify);
    if (vnode >= 0) close(vnode);
    if (notify >= 0 && !(vnode >= 0 && !strcmp(backend, "kqueue"))) return BY_INOTIFY;
    return vnode >= 0 ? BY_KQUEUE : BY_LOOKING;
}

static bool seen_refused;

static inline int seen_no_inotify(gyi_syscall kind) {
    if (kind != GYI_SYS_NOTIFY || seen_refused) return 0;
    seen_refused = true;
    return -ENOTSUP;
}

typedef struct seen {
    gy_fswatch watch;
    gy_fswatch second;
    int calls, gone, rescans, err, changed;
    const char *want; /* the line that ends the wait */
    bool found;
    seen_by by;
    bool timed; /* a timer will end a wait, which virtual time needs */
    char log[8192]; /* a line for each event: kind name [from] */
} seen;

static inline void seen_event(gy_fswatch *watch, int err, const gy_fswatch_event *event) {
    static const char *const kinds[] = {"created", "removed", "changed", "attributes", "renamed", "rescan", "gone"};
    char line[512];
    seen *s = watch->user;
    s->calls++;
    s->gone += event->kind == GY_FSWATCH_GONE;
    s->rescans += event->kind == GY_FSWATCH_RESCAN;
    s->changed += event->kind == GY_FSWATCH_CHANGED;
    if (err) s->err = err;
    snprintf(line, sizeof line, "%s%s %s%s%s\n", kinds[event->kind], event->is_dir ? "/" : "", event->name,
             event->from ? " " : "", event->from ? event->from : "");
    if (strlen(s->log) + strlen(line) < sizeof s->log) strcat(s->log, line);
    if (s->want && !strcmp(line, s->want)) s->found = true;
}

static inline gy_loop *seen_loop(const char *backend, seen *s) {
    gy_loop *loop;
    *s = (seen){.calls = 0};
    s->watch.user = s->second.user = s;
    s->by = seen_way(backend);
    CHECK_EQ(gy_loop_new(&loop, (gy_loop_opts){.backend = backend}), 0);
    return loop;
}

/* Turns the loop until the line was seen. */
static inline bool seen_until(gy_loop *loop, seen *s, const char *line) {
    s->want = line;
    s->found = strstr(s->log, line) != NULL;
    for (int i = 0; i < 10000 && !s->found; i++) {
        CHECK(gy_loop_step(loop, s->timed ? GY_STEP_WAIT : GY_STEP_POLL) >= 0);
        if (!s->found) nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    if (!s->found) fprintf(stderr, "seen instead of %s%s", line, s->log);
    return s->found;
}

static inline bool seen_has(const seen *s, const char *line) { return strstr(s->log, line) != NULL; }

static inline int seen_try(gy_loop *loop, seen *s, gy_fswatch_opts opts) {
    gyi_sys sys = {{0}};
    int notify = s->by == BY_KQUEUE && !opts.poll ? gyi_notify_open(&sys) : -1;
    opts.fn = seen_event;
    s->timed = opts.poll || opts.coalesce || s->by == BY_LOOKING;
    if (notify >= 0) {
        close(notify);
        seen_refused = false;
        gyi_sys_fault = seen_no_inotify;
    }
    int err = gy_fswatch_start(loop, &s->watch, opts);
    if (notify >= 0) gyi_sys_fault = NULL;
    return err;
}

static inline void seen_start(gy_loop *loop, seen *s, gy_fswatch_opts opts) {
    CHECK_EQ(seen_try(loop, s, opts), 0);
    CHECK(gy_fswatch_active(&s->watch));
}

/* Whether directories can be watched recursively here. */
static inline bool seen_start_tree(gy_loop *loop, seen *s, const char *path) {
    int err = seen_try(loop, s, (gy_fswatch_opts){.path = path, .recursive = true});
    if (err == -ENOTSUP) return false;
    CHECK_EQ(err, 0);
    return true;
}

static inline void seen_end(gy_loop *loop, seen *s, folder *f) {
    gy_fswatch_stop(&s->watch);
    CHECK(!gy_fswatch_active(&s->watch));
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(gy_loop_free(loop), 0);
    folder_remove(f);
}

/* Appends, so that nothing but the contents changes. */
static inline void append(folder *f, const char *name) {
    int fd = open(folder_path(f, name), O_WRONLY | O_APPEND);
    CHECK(fd >= 0);
    CHECK_EQ(write(fd, "x", 1), 1);
    close(fd);
}

#endif
