/* SPDX-License-Identifier: ISC */
/* One listener per loop, all on the same port.
 *
 * A stream is opened by the thread of its loop, so the calling thread sends each loop a task and waits for the answer,
 * one after the other: the second must know the port that the first has got. When one fails, those before it are closed
 * in the same way; they are found by the number of the call, since a stop may have closed and freed them meanwhile. */
#include "group/group.h"

typedef struct spread {
    gy_message message;
    gy_group *group;
    gyi_member *member;
    gyi_listener *listener; /* to be opened; NULL: close those of the call */
    gy_listen_opts opts;
    void *user;
    uint64_t call;
    gy_addr at; /* where the listener has been opened */
    int err;
    bool answered; /* under the group's lock */
} spread;

/* ---- on the loops' threads --------------------------------------------------------------------------------------- */

static void spread_closed(gy_stream *stream) {
    gyi_listener *listener = GY_OF(stream, gyi_listener, stream);
    gyi_free(&listener->member->group->alloc, listener);
}

void gyi_spread_close(gyi_member *m, uint64_t call) {
    for (gyi_listener **at = &m->listeners; *at;) {
        gyi_listener *listener = *at;
        if (call && listener->call != call) {
            at = &listener->next;
            continue;
        }
        *at = listener->next;
        gy_stream_close(&listener->stream, spread_closed);
    }
}

static int spread_open(spread *s) {
    gyi_member *m = s->member;
    gyi_listener *listener = s->listener;
    if (m->stopping) return GY_ECLOSED;
    listener->member = m;
    listener->call = s->call;
    listener->stream.user = s->user;
    int err = gy_tcp_listen(m->loop, &listener->stream, s->opts);
    if (err) return err;
    listener->next = m->listeners;
    m->listeners = listener;
    s->listener = NULL; /* the member's from now on */
    err = gy_stream_local_addr(&listener->stream, &s->at);
    return err;
}

static void spread_task(gy_message *message) {
    spread *s = GY_OF(message, spread, message);
    gy_group *g = s->group;
    if (s->listener) s->err = spread_open(s);
    else gyi_spread_close(s->member, s->call);
    gyi_mutex_lock(&g->lock);
    s->answered = true;
    gyi_cond_signal(&g->answered);
    gyi_mutex_unlock(&g->lock);
}

/* ---- on the calling thread --------------------------------------------------------------------------------------- */

/* Has a loop do it, and waits. @return 0 or why it could not be asked */
static int spread_ask(spread *s, unsigned index) {
    gy_group *g = s->group;
    s->member = &g->member[index];
    s->answered = false;
    int err = gy_group_post(g, (int)index, &s->message, spread_task);
    if (err) return err;
    gyi_mutex_lock(&g->lock);
    while (!s->answered) gyi_cond_wait(&g->answered, &g->lock, GY_FOREVER);
    gyi_mutex_unlock(&g->lock);
    return 0;
}

static int spread_one(spread *s, unsigned index) {
    s->listener = gyi_alloc_zero(&s->group->alloc, sizeof *s->listener);
    if (!s->listener) return -ENOMEM;
    int err = spread_ask(s, index);
    if (!err) err = s->err;
    if (s->listener) gyi_free(&s->group->alloc, s->listener);
    s->listener = NULL;
    return err;
}

static int spread_all(spread *s) {
    for (unsigned i = 0; i < s->group->count; i++) {
        int err = spread_one(s, i);
        if (!err) {
            s->opts.addr = s->at.text;
            continue;
        }
        for (unsigned before = 0; before <= i; before++) spread_ask(s, before);
        return err;
    }
    return 0;
}

int gy_group_listen(gy_group *g, void *user, gy_addr *bound, gy_listen_opts opts) {
    if (!opts.fn || !opts.addr) return -EINVAL;
    if (gyi_group_inside(g)) return -EDEADLK;
    opts.reuseport = true;
    spread s = {.group = g, .opts = opts, .user = user};
    gyi_mutex_lock(&g->listening);
    s.call = ++g->calls;
    int err = spread_all(&s);
    gyi_mutex_unlock(&g->listening);
    if (!err && bound) *bound = s.at;
    return err;
}
