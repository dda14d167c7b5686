/* SPDX-License-Identifier: ISC */
/* Handing tasks and connections to a loop of a group.
 *
 * A task is a message like those of gy_post(), with one difference: it is counted from before it is sent until it runs.
 * The count is half of what makes a loop more or less busy than another, and keeps the member from ending before the
 * task has run (see group.c). A gift is a task that carries a descriptor; since an accepted task always runs, and a
 * refused one leaves the descriptor where it was, none is lost. */
#include "group/group.h"

#include "sys/fd.h"

static _Atomic int32_t *hand_sent(gy_message *message) { return (_Atomic int32_t *)(void *)&message->priv.sent; }

/* ---- choosing ---------------------------------------------------------------------------------------------------- */

static bool hand_try(gyi_member *m) {
    atomic_fetch_add(&m->tasks, 1);
    if (!atomic_load(&m->closed)) return true;
    atomic_fetch_sub(&m->tasks, 1);
    return false;
}

/* The member with the least load. Of several, another one each time, or those with a low index would get it all. */
static gyi_member *hand_least(gy_group *g) {
    unsigned first = atomic_fetch_add_explicit(&g->turn, 1, memory_order_relaxed) % g->count;
    unsigned least = UINT32_MAX;
    gyi_member *best = NULL;
    for (unsigned n = 0; n < g->count; n++) {
        unsigned i = (first + n) % g->count, load = gy_group_load(g, i);
        if (load >= least || atomic_load_explicit(&g->member[i].closed, memory_order_relaxed)) continue;
        least = load;
        best = &g->member[i];
    }
    return best;
}

gyi_member *gyi_hand_reserve(gy_group *g, int index, int *err) {
    gyi_member *m = NULL;
    *err = -EINVAL;
    if (index < GY_GROUP_ANY || index >= (int)g->count) return NULL;
    *err = GY_ECLOSED;
    if (index != GY_GROUP_ANY) return hand_try(&g->member[index]) ? &g->member[index] : NULL;
    /* Closed is for ever, so this ends. */
    do m = hand_least(g);
    while (m && !hand_try(m));
    return m;
}

void gyi_hand_release(gyi_member *m) { atomic_fetch_sub(&m->tasks, 1); }

/* ---- tasks ------------------------------------------------------------------------------------------------------- */

static void hand_run(gyi_entry *entry) {
    gy_message *message = GY_OF(entry, gy_message, priv.entry);
    gy_message_fn *fn = message->priv.fn;
    gyi_hand_release(message->loop->member);
    atomic_store(hand_sent(message), 0);
    fn(message);
}

void gyi_hand_send(gyi_member *m, gy_message *message, gy_message_fn *fn) {
    message->loop = m->loop;
    message->priv.fn = fn;
    message->priv.entry.run = hand_run;
    gy_loop *l = m->loop;
    gyi_async_push(l, &message->priv.entry);
    gyi_async_wake(l); /* if that has failed, nobody else might come to try again */
}

int gy_group_post(gy_group *g, int index, gy_message *message, gy_message_fn *fn) {
    int err;
    if (!fn) return -EINVAL;
    if (atomic_exchange(hand_sent(message), 1)) return -EALREADY;
    gyi_member *m = gyi_hand_reserve(g, index, &err);
    if (m) gyi_hand_send(m, message, fn);
    else atomic_store(hand_sent(message), 0);
    return m ? 0 : err;
}

/* ---- gifts ------------------------------------------------------------------------------------------------------- */

static void gift_arrive(gy_message *message) {
    gy_gift *gift = GY_OF(message, gy_gift, priv.message);
    gy_loop *l = message->loop;
    int fd = gift->priv.fd, err = -ENOMEM;
    gy_stream *stream = gift->priv.place(gift);
    if (stream && gift->priv.state) err = gyi_stream_adopt(l, stream, fd, gift->priv.state);
    else if (stream) err = gy_stream_open(l, stream, fd);
    if (err) gyi_fd_close(&l->sys, fd);
    gift->priv.fn(gift, stream, err);
}

/* Fills the gift with what is to be given. */
static int gift_wrap(gy_gift *gift, const gy_gift_opts *opts) {
    int fd = opts->fd;
    gift->priv.state = 0;
    if (opts->from) {
        gift->priv.state = GYI_STREAM_WRITABLE | (opts->from->priv.state & (GYI_STREAM_WARY | GYI_STREAM_LOCAL));
        fd = gyi_listen_take(opts->from);
    }
    if (fd < 0) return opts->from ? fd : -EBADF;
    gift->priv.fd = fd;
    gift->priv.place = opts->place;
    gift->priv.fn = opts->fn;
    return 0;
}

int gy_group_give(gy_group *g, int index, gy_gift *gift, gy_gift_opts opts) {
    int err;
    gy_message *message = &gift->priv.message;
    if (!opts.place || !opts.fn) return -EINVAL;
    if (atomic_exchange(hand_sent(message), 1)) return -EALREADY;
    gyi_member *m = gyi_hand_reserve(g, index, &err);
    if (m) {
        err = gift_wrap(gift, &opts);
        if (err) gyi_hand_release(m);
    }
    if (!m || err) {
        atomic_store(hand_sent(message), 0);
        return err;
    }
    gift->loop = m->loop;
    gyi_hand_send(m, message, gift_arrive);
    return 0;
}
