/* SPDX-License-Identifier: ISC */
/* Sending datagrams.
 *
 * Every datagram goes through the queue of its socket. The first one of a turn empties the queue at once; those that
 * follow in the same turn wait until this turn's callbacks are through, and leave many in one call. What counts is the
 * turn, not whether an earlier one has reported: a hundred callbacks that send one datagram each are two calls. Who is
 * told of several datagrams will probably answer several, so there not even the first one goes alone.
 *
 * Errors. The kernel has one place for the error that an ICMP message has brought, and hands it to whatever is called
 * next; the datagram that finds it there has not been sent, and is innocent. So the first error of a datagram is only a
 * suspicion: it is tried once more, and the error is its own when the kernel says it again. Otherwise it was an earlier
 * one's, and is told to who receives. */
#include "net/udp.h"

enum {
    SEND_BATCHES = 16,  /* per turn and socket */
    SEND_PIECES = 1024, /* buffers of a datagram; every system takes as many */
    SEND_LONGEST = 65535
};

typedef struct send_batch {
    gyi_dgram_out out[GYI_DGRAM_BATCH];
    gy_buf piece[GYI_DGRAM_BATCH]; /* what is cut from larger ones */
} send_batch;

/* ---- the queue of a socket --------------------------------------------------------------------------------------- */

static void send_run(gyi_entry *entry) {
    gy_dgram *d = GY_OF(entry, gy_dgram, priv.entry);
    d->priv.fn(d, d->priv.err);
}

/* While it is on the socket's queue, a datagram's entry is a ring of its own, so that it counts as taken. */
static void send_append(gy_udp *u, gy_dgram *d) {
    d->priv.next = NULL;
    d->priv.entry.next = d->priv.entry.prev = &d->priv.entry;
    if (u->priv.last) u->priv.last->priv.next = d;
    else u->priv.first = d;
    u->priv.last = d;
    u->priv.queued += d->priv.length;
}

/* What is off its socket's queue reports. */
static void send_report(gy_udp *u, gy_dgram *d, int err) {
    u->priv.queued -= d->priv.length;
    d->priv.err = err;
    d->priv.entry.next = NULL;
    d->priv.entry.run = send_run;
    gyi_queue_again(&u->loop->queue, &d->priv.entry);
}

/* Takes the first datagram off the queue and has it report. */
static void send_done(gy_udp *u, int err) {
    gy_dgram *d = u->priv.first;
    u->priv.first = d->priv.next;
    if (!u->priv.first) u->priv.last = NULL;
    send_report(u, d, err);
}

/* The queue has one direction only, so who goes is looked for from its beginning: nobody pays for it who sends. What
 * the first one was suspected of goes with it, as nobody can tell any more whose it was. */
int gy_dgram_cancel(gy_dgram *d) {
    gyi_entry *entry = &d->priv.entry;
    if (!gyi_entry_listed(entry)) return -EALREADY;
    if (entry->next != entry) return -EBUSY;
    gy_udp *u = d->udp;
    gy_dgram *before = NULL;
    if (u->priv.first == d) {
        u->priv.first = d->priv.next;
        u->priv.suspect = 0;
    } else {
        before = u->priv.first;
        while (before->priv.next != d) before = before->priv.next;
        before->priv.next = d->priv.next;
    }
    if (u->priv.last == d) u->priv.last = before;
    send_report(u, d, GY_ECANCELED);
    gyi_udp_interest(u);
    return 0;
}

void gyi_udp_fail(gy_udp *u, int err) {
    while (u->priv.first) send_done(u, err);
    u->priv.suspect = 0;
}

/* ---- batches ----------------------------------------------------------------------------------------------------- */

/* How much of a datagram that is to leave in segments is given to the kernel at once. */
static size_t send_cut(const gy_udp *u, const gy_dgram *d, size_t left) {
    size_t segment = d->priv.segment, most = segment;
    if (gyi_udp_is(u, GYI_UDP_CUTS) && !d->priv.plain) {
        most = GYI_DGRAM_CUT / segment;
        if (most > GYI_DGRAM_CUTS) most = GYI_DGRAM_CUTS;
        most = most ? most * segment : segment;
    }
    return left < most ? left : most;
}

static gyi_dgram_out send_out(const gy_dgram *d, const gy_buf *bufs, unsigned count) {
    bool to = d->priv.to.priv.len;
    return (gyi_dgram_out){.to = to ? d->priv.to.priv.raw : NULL, .to_len = d->priv.to.priv.len, .bufs = bufs,
                           .count = count};
}

/* What gy_udp_sendv() has taken. */
static GYI_APART gyi_dgram_out send_out_pieces(const gy_dgram *d) {
    gyi_dgram_out out = send_out(d, d->priv.bufs, d->priv.count);
    out.from = d->priv.local;
    return out;
}

static unsigned send_gather_cut(const gy_udp *u, const gy_dgram *d, send_batch *b, unsigned n) {
    gy_buf left = d->priv.own;
    while (left.len && n < GYI_DGRAM_BATCH) {
        size_t len = send_cut(u, d, left.len);
        b->piece[n] = (gy_buf){left.base, len};
        b->out[n] = send_out(d, &b->piece[n], 1);
        b->out[n].from = d->priv.local;
        if (len > d->priv.segment) b->out[n].segment = d->priv.segment;
        left.base = (char *)left.base + len;
        left.len -= len;
        n++;
    }
    return n;
}

/* Puts the first of the queue into a batch. @return how many. */
static unsigned send_gather(const gy_udp *u, send_batch *b) {
    unsigned n = 0;
    for (const gy_dgram *d = u->priv.first; d && n < GYI_DGRAM_BATCH; d = d->priv.next) {
        if (GYI_UNLIKELY(d->priv.segment)) n = send_gather_cut(u, d, b, n);
        else if (GYI_UNLIKELY(d->priv.bufs)) b->out[n++] = send_out_pieces(d);
        else b->out[n++] = send_out(d, &d->priv.own, 1);
    }
    return n;
}

/* The first `n` of a batch have been sent. */
static void send_advance(gy_udp *u, const send_batch *b, unsigned n) {
    for (unsigned i = 0; i < n; i++) {
        gy_dgram *d = u->priv.first;
        if (GYI_UNLIKELY(d->priv.segment)) {
            size_t len = b->out[i].bufs->len;
            d->priv.own.base = (char *)d->priv.own.base + len;
            d->priv.own.len -= len;
            if (d->priv.own.len) continue;
        }
        send_done(u, 0);
    }
}

/* The first of a batch has failed with something else than a full buffer. */
static GYI_APART void send_failed(gy_udp *u, const gyi_dgram_out *out, int err) {
    if (out->segment) {
        u->priv.first->priv.plain = 1; /* whatever it was: without the kernel's help it may go, or fail for itself */
    } else if (u->priv.suspect != err) {
        u->priv.suspect = err;
    } else {
        u->priv.suspect = 0;
        send_done(u, err);
    }
}

/* A datagram has gone on which the error of another had fallen. Where there is a queue of errors, it is there too. */
static GYI_APART void send_acquitted(gy_udp *u) {
    if (!gyi_udp_is(u, GYI_UDP_ERRORS)) {
        u->priv.err = u->priv.suspect;
        if (gyi_udp_is(u, GYI_UDP_RECEIVING)) gyi_udp_push_later(u);
    }
    u->priv.suspect = 0;
}

void gyi_udp_flush(gy_udp *u) {
    send_batch batch;
    for (int i = 0; u->priv.first && gyi_udp_is(u, GYI_UDP_WRITABLE); i++) {
        if (i == SEND_BATCHES) {
            gyi_udp_push_later(u);
            break;
        }
        unsigned count = send_gather(u, &batch);
        int n = gyi_dgram_send(&u->loop->sys, u->priv.fd, batch.out, count);
        if (GYI_LIKELY(n > 0)) {
            if (GYI_UNLIKELY(u->priv.suspect)) send_acquitted(u);
            send_advance(u, &batch, (unsigned)n);
        } else if (n == -EAGAIN) {
            u->priv.state &= ~(unsigned)GYI_UDP_WRITABLE;
        } else {
            send_failed(u, batch.out, n);
        }
    }
    /* Nobody will say when there is room again. */
    if (u->priv.first && gyi_udp_is(u, GYI_UDP_REFUSED) && !gyi_udp_is(u, GYI_UDP_WRITABLE)) {
        gyi_udp_fail(u, u->priv.watch.fd);
        u->priv.state |= GYI_UDP_WRITABLE;
    }
    gyi_udp_interest(u);
}

/* ---- requests ---------------------------------------------------------------------------------------------------- */

/* Writes the destination in the socket's own form; none for a connected one. */
static int send_address(const gy_udp *u, const gy_endpoint *to, gy_endpoint *out) {
    bool connected = gyi_udp_is(u, GYI_UDP_CONNECTED);
    if (to) return connected ? -EISCONN : gyi_endpoint_for(gyi_udp_family(u), to, out);
    if (!connected) return -EDESTADDRREQ;
    out->priv.len = 0;
    return 0;
}

/* When none is queued, a datagram is taken whatever its size, so more than the limit may be queued already. */
static bool send_exceeds(const gy_udp *u, size_t len) {
    size_t limit = u->priv.limit, queued = u->priv.queued;
    return limit && u->priv.first && (queued > limit || len > limit - queued);
}

static int send_check(const gy_udp *u, const gy_dgram *d, gy_dgram_fn *fn) {
    if (GYI_UNLIKELY(!fn)) return -EINVAL;
    if (GYI_UNLIKELY(!gyi_udp_usable(u))) return GY_ECLOSED;
    return GYI_UNLIKELY(gyi_entry_listed(&d->priv.entry)) ? -EALREADY : 0;
}

/* Takes a datagram whose bytes and destination are set. */
static int send_submit(gy_udp *u, gy_dgram *d, gy_dgram_fn *fn) {
    if (GYI_UNLIKELY(send_exceeds(u, d->priv.length))) return GY_EBACKLOG;
    uint32_t turn = (uint32_t)u->loop->stats.turns;
    bool at_once = !u->priv.first && u->priv.turn != turn;
    d->udp = u;
    d->priv.fn = fn;
    send_append(u, d);
    if (at_once) {
        u->priv.turn = turn;
        gyi_udp_flush(u);
    } else if (gyi_udp_is(u, GYI_UDP_WRITABLE)) {
        gyi_udp_push(u);
    } else {
        gyi_udp_interest(u);
    }
    return 0;
}

int gy_udp_send(gy_udp *u, gy_dgram *d, gy_buf from, const gy_endpoint *to, gy_dgram_fn *fn) {
    int err = send_check(u, d, fn);
    if (err) return err;
    if (from.len && !from.base) return -EINVAL;
    err = send_address(u, to, &d->priv.to);
    if (err) return err;
    d->priv.own = from;
    d->priv.bufs = NULL;
    d->priv.length = from.len;
    d->priv.count = 1;
    d->priv.segment = 0;
    return send_submit(u, d, fn);
}

/* Asks once for each socket whether the kernel cuts: one that does not know the wish would ignore it. */
static void send_probe(gy_udp *u) {
    if (gyi_udp_is(u, GYI_UDP_CUT_ASKED)) return;
    bool cuts = gyi_dgram_cuts(&u->loop->sys, u->priv.fd) == 0;
    u->priv.state |= GYI_UDP_CUT_ASKED | (cuts ? GYI_UDP_CUTS : 0);
}

int gy_udp_sendv(gy_udp *u, gy_dgram *d, gy_dgram_opts opts) {
    gy_endpoint parsed;
    size_t length = 0;
    int err = send_check(u, d, opts.fn);
    if (err) return err;
    if (!opts.from || !opts.count || opts.count > SEND_PIECES) return -EINVAL;
    if (opts.segment && (opts.count != 1 || opts.segment > SEND_LONGEST)) return -EINVAL;
    for (unsigned i = 0; i < opts.count; i++) {
        if ((opts.from[i].len && !opts.from[i].base) || opts.from[i].len > SIZE_MAX / 2 - length) return -EINVAL;
        length += opts.from[i].len;
    }
    if (opts.local) err = gyi_endpoint_for(gyi_udp_family(u), opts.local, &parsed); /* only whether it could be one */
    if (err) return err;
    if (!opts.to && opts.addr) {
        err = gy_endpoint_parse(&parsed, opts.addr);
        if (err) return err;
        opts.to = &parsed;
    }
    err = send_address(u, opts.to, &d->priv.to);
    if (err) return err;
    d->priv.local = opts.local ? opts.local->priv.raw : NULL;
    d->priv.own = opts.from[0];
    d->priv.bufs = opts.count > 1 ? opts.from : opts.local ? &d->priv.own : NULL;
    d->priv.length = length;
    d->priv.count = opts.count;
    d->priv.segment = length > opts.segment ? opts.segment : 0;
    d->priv.plain = 0;
    if (d->priv.segment) send_probe(u);
    return send_submit(u, d, opts.fn);
}

int64_t gy_udp_try_send(gy_udp *u, gy_buf from, const gy_endpoint *to) {
    gy_endpoint addr;
    if (from.len && !from.base) return -EINVAL;
    if (!gyi_udp_usable(u)) return GY_ECLOSED;
    int err = send_address(u, to, &addr);
    if (err) return err;
    if (u->priv.first) return -EAGAIN;
    gyi_dgram_out out = {addr.priv.len ? addr.priv.raw : NULL, addr.priv.len, 0, &from, 1, NULL};
    int n = gyi_dgram_send(&u->loop->sys, u->priv.fd, &out, 1);
    if (n < 0 && n != -EAGAIN) {
        u->priv.suspect = n;
        n = gyi_dgram_send(&u->loop->sys, u->priv.fd, &out, 1);
        if (n > 0) send_acquitted(u);
        u->priv.suspect = 0;
    }
    if (n == -EAGAIN) u->priv.state &= ~(unsigned)GYI_UDP_WRITABLE;
    return n > 0 ? (int64_t)from.len : n;
}

size_t gy_udp_queued(const gy_udp *u) { return u->priv.queued; }

void gy_udp_set_limit(gy_udp *u, size_t bytes) { u->priv.limit = bytes; }
