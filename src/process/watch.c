/* SPDX-License-Identifier: ISC */
/* Learning that a child has ended, and its time limit.
 *
 * A record waits in the first of these ways that works:
 *   - the descriptor that stands for the child becomes readable;
 *   - SIGCHLD comes, whoever it is about, and each record asks for its own child. The program may have blocked it, so a
 *     timer asks as well, once a second;
 *   - a timer asks, 50 times a second.
 * Whatever comes leads to watch_look(), which asks the kernel about this one child. The kernel's refusal to say is no
 * answer, so it is asked again.
 *
 * When the child has ended, the record is taken apart first, and then the owner is told: it may start the next process
 * with the same handle. */
#include "process/process.h"

#include <signal.h>

#include "sys/fd.h"

static const gy_ns WATCH_PAUSE = GY_MS(20), WATCH_LONG_PAUSE = GY_S(1), WATCH_GRACE = GY_S(5);

/* Takes a record apart, except for its memory. */
static void watch_end(gyi_child *c) {
    gy_loop *loop = c->loop;
    gyi_watch_forget(loop, &c->watch);
    gyi_fd_close(&loop->sys, c->fd);
    c->fd = -1;
    gy_signal_stop(&c->signal);
    gy_timer_stop(&c->again);
    gy_timer_stop(&c->limit);
    gyi_list_remove(&c->link);
}

static void watch_ended(gyi_child *c, int err, const gyi_child_end *end) {
    gy_process *p = c->owner;
    gy_exit how = {.code = -1, .timed_out = c->flags & GYI_CHILD_LATE};
    if (!err) {
        how.code = end->code;
        how.signo = end->signo;
        how.core = end->core;
        how.user = end->user;
        how.system = end->system;
        how.max_rss = end->max_rss;
    }
    watch_end(c);
    gyi_child_disown(c);
    gyi_free(&c->loop->alloc, c);
    if (p) p->priv.fn(p, err, how);
}

static gy_timer_fn watch_again;

/* Asks for the child. The last thing that is done with the record. */
static void watch_look(gyi_child *c) {
    gyi_child_end end;
    int got = gyi_child_wait(&c->loop->sys, c->pid, &end);
    if (got == 1) watch_ended(c, 0, &end);
    else if (got == -ECHILD) watch_ended(c, got, NULL);
    else if (got < 0) gy_timer_start(c->loop, &c->again, (gy_timer_opts){.fn = watch_again, .after = WATCH_PAUSE});
}

static void watch_again(gy_timer *timer) {
    gyi_child *c = GY_OF(timer, gyi_child, again);
    gy_timer_opts opts = {.fn = watch_again, .after = gy_signal_active(&c->signal) ? WATCH_LONG_PAUSE : WATCH_PAUSE};
    if (!gyi_watch_active(&c->watch)) gy_timer_start(c->loop, timer, opts);
    watch_look(c);
}

static void watch_signal(gy_signal *signal, unsigned count) {
    (void)count;
    watch_look(GY_OF(signal, gyi_child, signal));
}

/* Without a descriptor. The child may have ended before the handler was there, so it is asked for at once; if there is
 * no handler, again and again. */
static void watch_without(gyi_child *c) {
    gy_signal_start(c->loop, &c->signal, SIGCHLD, watch_signal);
    gy_timer_start(c->loop, &c->again, (gy_timer_opts){.fn = watch_again});
}

static void watch_ready(gyi_entry *entry) {
    gyi_child *c = GY_OF(entry, gyi_child, watch.entry);
    if (c->watch.got & GYI_GOT_REFUSED) watch_without(c);
    else watch_look(c);
}

/* ---- time limits ------------------------------------------------------------------------------------------------- */

/* The first time it is asked to end; then it is made to, again until it has. */
static void watch_limit(gy_timer *timer) {
    gyi_child *c = GY_OF(timer, gyi_child, limit);
    int signo = c->flags & GYI_CHILD_LATE ? SIGKILL : SIGTERM;
    c->flags |= GYI_CHILD_LATE;
    if (c->flags & GYI_CHILD_HEAD) gyi_child_kill_group(&c->loop->sys, c->pid, signo);
    /* Not twice: some programs take a second SIGTERM for a word of impatience. */
    if (!(c->flags & GYI_CHILD_HEAD) || !gyi_child_heads_group(c->pid))
        gyi_child_kill(&c->loop->sys, c->fd, c->pid, signo);
}

/* ---- the life of a record ---------------------------------------------------------------------------------------- */

/* The loop ends. Those that have ended already need not become zombies. */
static void watch_free(gy_loop *loop) {
    gyi_child_end end;
    while (!gyi_list_empty(&loop->children)) {
        gyi_child *c = GY_OF(loop->children.next, gyi_child, link);
        gyi_child_wait(&loop->sys, c->pid, &end);
        watch_end(c);
        gyi_free(&loop->alloc, c);
    }
}

void gyi_child_begin(gyi_child *c, gy_ns timeout, gy_ns grace) {
    gy_loop *loop = c->loop;
    loop->children_free = watch_free;
    loop->open++;
    loop->outside++;
    gyi_list_append(&loop->children, &c->link);
    /* The process as a whole keeps the loop alive, or not: its parts never do. */
    gyi_loop_ref(loop);
    gyi_watch_unref(loop, &c->watch);
    gy_signal_unref(&c->signal);
    gy_timer_unref(&c->again);
    gy_timer_unref(&c->limit);
    c->watch.entry.run = watch_ready;
    c->fd = gyi_child_open(&loop->sys, c->pid);
    int err = c->fd < 0 ? c->fd : gyi_watch_start(loop, &c->watch, c->fd, GY_READABLE);
    if (err) watch_without(c);
    if (timeout)
        gy_timer_start(loop, &c->limit,
                       (gy_timer_opts){.fn = watch_limit, .after = timeout, .every = grace ? grace : WATCH_GRACE});
}

void gyi_child_disown(gyi_child *c) {
    if (!c->owner) return;
    c->owner->priv.child = NULL;
    c->owner = NULL;
    c->loop->open--;
    c->loop->outside--;
    if (!(c->flags & GYI_CHILD_UNREF)) gyi_loop_unref(c->loop);
    c->flags |= GYI_CHILD_UNREF;
}
