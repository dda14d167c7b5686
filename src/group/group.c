/* SPDX-License-Identifier: ISC */
/* Groups: their threads, from the start to the end.
 *
 * The loops are made by the thread that makes the group, so that most of what can fail fails where it is easy to undo.
 * The threads then wait at a gate until all of them exist: when one cannot be had, none has called `start`.
 *
 * A member holds its loop alive like a handle, and lets go when the stop arrives. A task that was accepted must run,
 * and the loop may come to its end at the same moment: so the sender counts first and then looks whether the member is
 * closed, and the member closes first and then looks at the count; one of them sees the other. */
#include "group/group.h"

#include "sys/cores.h"

enum { GROUP_MOST = 1024, GROUP_FAILURES = 16 };

static const gy_ns GROUP_GRACE = GY_S(5), GROUP_REST = GY_S(1);

/* ---- a member's thread ------------------------------------------------------------------------------------------- */

/* Has what is pending on the loop's streams report that it is too late. The program will close
 * them. Each turn does it anew: what was between two operations begins the next one, and gifts may still come. */
static void member_cancel(gy_hook *hook) {
    gy_loop *l = GY_OF(hook, gyi_member, late)->loop;
    const gyi_slots *slots = &l->slots;
    for (uint32_t fd = 0; fd < slots->cap; fd++)
        for (gyi_watch *w = slots->at[fd].first; w; w = w->next)
            if (gyi_stream_watches(w))
                gy_stream_cancel(GY_OF(w, gy_stream, priv.watch), GY_STREAM_READ | GY_STREAM_WRITE, GY_ECANCELED);
}

static void member_grace_over(gy_timer *timer) {
    gyi_member *m = GY_OF(timer, gyi_member, grace);
    if (m->cut) {
        m->over = true;
        gy_loop_stop(m->loop);
        return;
    }
    m->cut = true;
    gy_hook_start(m->loop, &m->late, GY_HOOK_BEFORE_POLL, member_cancel);
    gy_ns rest = m->group->grace / 10;
    if (rest < GROUP_REST) rest = GROUP_REST;
    gy_timer_start(m->loop, timer, (gy_timer_opts){.fn = member_grace_over, .after = rest});
}

/* The stop has arrived. */
static void member_stop(gyi_entry *entry) {
    gyi_member *m = GY_OF(entry, gyi_member, stop);
    gy_group *g = m->group;
    m->stopping = true;
    gyi_loop_unref(m->loop);
    if (g->grace != GY_FOREVER) {
        gy_timer_unref(&m->grace);
        gy_timer_start(m->loop, &m->grace, (gy_timer_opts){.fn = member_grace_over, .after = g->grace});
    }
    gyi_spread_close(m, 0);
    if (m->started && g->stop) g->stop(g, m->loop, m->index);
}

/* Runs the loop until the member has stopped and nothing is left, or too much time has gone by. */
static void member_run(gyi_member *m) {
    while (!m->over && m->failed < GROUP_FAILURES) {
        int got = gy_loop_run(m->loop);
        if (got == 0 && m->stopping) return;
        if (got < 0) {
            int none = 0;
            m->failed++;
            atomic_compare_exchange_strong(&m->group->err, &none, got);
        }
        gy_group_stop(m->group);
    }
}

/* Takes no more tasks, and has those run that are on their way. */
static void member_close(gyi_member *m) {
    atomic_store(&m->closed, 1);
    while (atomic_load(&m->tasks)) gy_loop_step(m->loop, GY_STEP_POLL);
}

/* Waits until all threads exist. @return whether to go on */
static bool member_enter(gy_group *g) {
    gyi_mutex_lock(&g->lock);
    while (g->gate == GYI_GATE_SHUT) gyi_cond_wait(&g->gate_moved, &g->lock, GY_FOREVER);
    bool open = g->gate == GYI_GATE_OPEN;
    gyi_cond_signal(&g->gate_moved); /* each lets the next one in */
    gyi_mutex_unlock(&g->lock);
    return open;
}

static void *member_main(void *arg) {
    gyi_member *m = arg;
    gy_group *g = m->group;
    if (!member_enter(g)) return NULL;
    int err = g->start ? g->start(g, m->loop, m->index) : 0;
    m->started = err >= 0;
    gyi_mutex_lock(&g->lock);
    if (err < 0 && !g->start_err) g->start_err = err;
    if (--g->starting == 0) gyi_cond_signal(&g->answered);
    gyi_mutex_unlock(&g->lock);
    member_run(m);
    member_close(m);
    member_run(m); /* what the last tasks have begun */
    gy_timer_stop(&m->grace);
    gy_hook_stop(&m->late);
    return NULL;
}

/* ---- the end ----------------------------------------------------------------------------------------------------- */

bool gyi_group_inside(const gy_group *g) {
    for (unsigned i = 0; i < g->threads; i++)
        if (gyi_thread_is_me(g->member[i].thread)) return true;
    return false;
}

void gy_group_stop(gy_group *g) {
    if (atomic_exchange(&g->stopping, 1)) return;
    for (unsigned i = 0; i < g->count; i++) {
        gyi_async_push(g->member[i].loop, &g->member[i].stop);
        gyi_async_wake(g->member[i].loop); /* if that has failed, nobody else might come to try again */
    }
}

static void group_join(gy_group *g) {
    for (unsigned i = 0; i < g->threads; i++) gyi_thread_join(g->member[i].thread);
    g->threads = 0; /* not before: they look at it */
}

int gy_group_join(gy_group *g) {
    if (gyi_group_inside(g)) return -EDEADLK;
    group_join(g);
    return atomic_load(&g->err);
}

static void group_free_locks(gy_group *g) {
    gyi_cond_free(&g->answered);
    gyi_cond_free(&g->gate_moved);
    gyi_mutex_free(&g->lock);
    gyi_mutex_free(&g->listening);
}

int gy_group_free(gy_group *g) {
    if (!g) return 0;
    if (gyi_group_inside(g)) return -EDEADLK;
    gy_group_stop(g);
    group_join(g);
    for (unsigned i = 0; i < g->count; i++)
        if (g->member[i].loop->open || g->member[i].loop->working) return -EBUSY;
    for (unsigned i = 0; i < g->count; i++) gy_loop_free(g->member[i].loop);
    group_free_locks(g);
    gy_alloc alloc = g->alloc;
    gyi_free(&alloc, g);
    return 0;
}

/* ---- the start --------------------------------------------------------------------------------------------------- */

static int group_init_locks(gy_group *g) {
    int err = gyi_mutex_init(&g->listening);
    if (err) return err;
    err = gyi_mutex_init(&g->lock);
    if (err) goto no_lock;
    err = gyi_cond_init(&g->gate_moved);
    if (err) goto no_gate;
    err = gyi_cond_init(&g->answered);
    if (!err) return 0;
    gyi_cond_free(&g->gate_moved);
no_gate:
    gyi_mutex_free(&g->lock);
no_lock:
    gyi_mutex_free(&g->listening);
    return err;
}

/* Makes the loops of all members. */
static int group_make_loops(gy_group *g, gy_loop_opts opts) {
    if (!opts.alloc.alloc && !opts.alloc.free) opts.alloc = g->alloc;
    for (unsigned i = 0; i < g->count; i++) {
        gyi_member *m = &g->member[i];
        int err = gy_loop_new(&m->loop, opts);
        if (err) return err;
        m->group = g;
        m->index = i;
        m->stop.run = member_stop;
        m->loop->member = m;
        gyi_loop_ref(m->loop);
    }
    return 0;
}

/* Threads wait at the gate, so who is to be kept on a processor runs on it from its `start` on. */
static int group_start_threads(gy_group *g, size_t stack, bool pin) {
    for (unsigned i = 0; i < g->count; i++) {
        int err = gyi_thread_start(&g->sys, &g->member[i].thread, stack, member_main, &g->member[i]);
        if (err) return err;
        g->threads++;
        if (pin) err = gyi_cores_pin(&g->sys, g->member[i].thread, i);
        if (err) return err;
    }
    return 0;
}

/* Lets the threads go, or go home. */
static void group_open_gate(gy_group *g, int gate) {
    gyi_mutex_lock(&g->lock);
    g->gate = gate;
    gyi_cond_signal(&g->gate_moved);
    gyi_mutex_unlock(&g->lock);
}

/* @return the first error that a `start` has returned */
static int group_await_start(gy_group *g) {
    gyi_mutex_lock(&g->lock);
    while (g->starting) gyi_cond_wait(&g->answered, &g->lock, GY_FOREVER);
    int err = g->start_err;
    gyi_mutex_unlock(&g->lock);
    return err;
}

/* Loops and threads. On failure no thread is left. */
static int group_begin(gy_group *g, const gy_group_opts *opts) {
    int err = group_make_loops(g, opts->loop);
    if (err) return err;
    g->starting = g->count;
    err = group_start_threads(g, opts->stack, opts->pin);
    group_open_gate(g, err ? GYI_GATE_GIVEN_UP : GYI_GATE_OPEN);
    if (!err) err = group_await_start(g);
    if (!err) return 0;
    if (g->gate == GYI_GATE_OPEN) gy_group_stop(g);
    group_join(g);
    return err;
}

int gy_group_new(gy_group **out, gy_group_opts opts) {
    gy_alloc alloc;
    *out = NULL;
    if (!gyi_alloc_init(&alloc, opts.alloc) || opts.grace < 0 || opts.count > GROUP_MOST) return -EINVAL;
    unsigned count = opts.count ? opts.count : gyi_cores_count();
    gy_group *g = gyi_alloc_zero(&alloc, sizeof *g + count * sizeof(gyi_member));
    if (!g) return -ENOMEM;
    g->alloc = alloc;
    g->start = opts.start;
    g->stop = opts.stop;
    g->user = opts.user;
    g->grace = opts.grace ? opts.grace : GROUP_GRACE;
    g->count = count;
    int err = group_init_locks(g);
    if (err) {
        gyi_free(&alloc, g);
        return err;
    }
    err = group_begin(g, &opts);
    if (!err) {
        *out = g;
        return 0;
    }
    for (unsigned i = 0; i < count; i++) gy_loop_free(g->member[i].loop);
    group_free_locks(g);
    gyi_free(&alloc, g);
    return err;
}

/* ---- what there is ----------------------------------------------------------------------------------------------- */

unsigned gy_group_count(const gy_group *g) { return g->count; }

void *gy_group_user(const gy_group *g) { return g->user; }

gy_loop *gy_group_loop(const gy_group *g, unsigned index) { return index < g->count ? g->member[index].loop : NULL; }

gy_group *gy_group_of(const gy_loop *loop) { return loop->member ? loop->member->group : NULL; }

int gy_group_index(const gy_loop *loop) { return loop->member ? (int)loop->member->index : -1; }

unsigned gy_group_load(const gy_group *g, unsigned index) {
    if (index >= g->count) return 0;
    const gyi_member *m = &g->member[index];
    return atomic_load_explicit(&m->tasks, memory_order_relaxed) +
           atomic_load_explicit(&m->loop->open, memory_order_relaxed);
}
