/* SPDX-License-Identifier: ISC */
/* Receiving datagrams: one call into the kernel and one into the program for a whole batch.
 *
 * A socket takes one batch in a turn and leaves the rest for the next one, whatever the backend: a flood is then served
 * at two calls for 64 datagrams, and timers and other descriptors have their turn in between. How many places are
 * offered to the kernel follows what came last, so that a lone datagram does not pay for 64 headers.
 *
 * Joined datagrams (UDP_GRO) share a slot and are taken apart before they are told. What is told in one call has to
 * stand on the stack, so only few slots are offered then; they are large ones.
 *
 * Nothing here is kept over the callback, which may stop, close, and free the socket. */
#include "net/udp.h"

#include <string.h>

enum {
    RECV_LEAST = 4,
    RECV_JOINED = 2,  /* slots at once when datagrams come joined */
    RECV_PARTS = 128  /* datagrams in one of them; no Linux joins more */
};

/* Has the kernel join no more. What waits may be joined already, and would be taken for one datagram from then on: as
 * long as anything waits, the kernel is left to say what it is. @return 0, or why it cannot be told to stop. */
static GYI_APART int recv_part(gy_udp *u) {
    gyi_sys *sys = &u->loop->sys;
    int fd = u->priv.fd;
    bool waits = gyi_dgram_waits(sys, fd);
    int err = waits ? 0 : gyi_dgram_join(sys, fd, 0);
    if (err) return err;
    if (!waits && gyi_dgram_waits(sys, fd)) waits = !gyi_dgram_join(sys, fd, 1); /* it came in between */
    u->priv.state &= ~(unsigned)(GYI_UDP_JOINS | GYI_UDP_PARTING);
    if (waits) u->priv.state |= GYI_UDP_JOINS | GYI_UDP_PARTING;
    return 0;
}

/* Between two turns nothing is remembered where states are reported; where changes are, a look that found less than
 * there was room for has seen the end. */
static void recv_settle(gy_udp *u, bool drained) {
    if (drained || gyi_udp_is(u, GYI_UDP_LEVEL)) u->priv.state &= ~(unsigned)GYI_UDP_READABLE;
    if (GYI_UNLIKELY(gyi_udp_is(u, GYI_UDP_PARTING))) recv_part(u);
    gyi_udp_interest(u);
    if (gyi_udp_is(u, GYI_UDP_READABLE | GYI_UDP_TROUBLE) || u->priv.err) gyi_udp_push_later(u);
}

static void recv_fail(gy_udp *u, int err) {
    recv_settle(u, false);
    u->priv.received(u, err, NULL, 0);
}

/* ---- errors ------------------------------------------------------------------------------------------------------ */

/* Takes one error off the queue of errors. @return 0; -EAGAIN when there is none; or why that could not be told. */
static int recv_take_error(gy_udp *u, gy_udp_msg *msg, gy_buf room, int *what) {
    gyi_dgram_in in = {.room = room, .from = msg->from.priv.raw, .from_len = GYI_DGRAM_NAME};
    memset(msg, 0, sizeof *msg);
    if (!gyi_udp_is(u, GYI_UDP_ERRORS)) return -EAGAIN;
    int err = gyi_dgram_take_error(&u->loop->sys, u->priv.fd, &in, what);
    if (err) return err;
    msg->from.priv.len = in.from_len;
    gyi_endpoint_plain(&msg->from);
    msg->buf = (gy_buf){room.base, in.len < room.len ? in.len : room.len};
    msg->length = in.len;
    msg->flags = GY_UDP_RETURNED | (in.truncated ? GY_UDP_TRUNCATED : 0);
    msg->ttl = msg->tos = -1;
    return 0;
}

/* Tells of one error from the queue. @return whether there was anything to tell; the socket may be gone then. */
static GYI_APART bool recv_tell_error(gy_udp *u) {
    gy_udp_msg msg;
    int what;
    int err = recv_take_error(u, &msg, (gy_buf){u->priv.into.base, u->priv.size}, &what);
    if (err == -EAGAIN) return false;
    u->priv.state |= GYI_UDP_TROUBLE; /* there may be more */
    if (err) {
        recv_fail(u, err);
    } else {
        recv_settle(u, false);
        u->priv.received(u, what, &msg, 1);
    }
    return true;
}

void gyi_udp_drop_errors(gy_udp *u) {
    gy_udp_msg msg;
    char nothing;
    int what;
    while (recv_take_error(u, &msg, (gy_buf){&nothing, 0}, &what) == 0) continue;
    u->priv.state &= ~(unsigned)GYI_UDP_TROUBLE;
}

/* ---- batches ----------------------------------------------------------------------------------------------------- */

static void recv_place(const gy_udp *u, gyi_dgram_in *in, gy_udp_msg *msgs, unsigned count) {
    char *base = u->priv.into.base;
    for (unsigned i = 0; i < count; i++) {
        in[i].room = (gy_buf){base + i * u->priv.size, u->priv.size};
        in[i].from = msgs[i].from.priv.raw;
        in[i].from_len = GYI_DGRAM_NAME;
    }
}

static void recv_note(gy_udp_msg *m, const gyi_dgram_in *in) {
    m->buf = (gy_buf){in->room.base, in->len < in->room.len ? in->len : in->room.len};
    m->from.priv.len = in->from_len;
    gyi_endpoint_plain(&m->from);
    m->length = in->len;
    m->flags = in->truncated ? GY_UDP_TRUNCATED : 0;
    m->interface = 0;
    m->local.priv.len = 0;
    m->ttl = m->tos = -1;
}

static void recv_note_info(gy_udp_msg *m, const gyi_dgram_info *info, unsigned wanted) {
    if ((wanted & GY_UDP_LOCAL) && info->family) {
        gyi_endpoint_host(&m->local, info->family, info->local);
        m->interface = info->interface;
    }
    if (wanted & GY_UDP_HOPS) m->ttl = info->ttl;
    if (wanted & GY_UDP_CLASS) m->tos = info->tos;
}

/* The same with what comes along; apart, because of the memory that it takes on the stack. */
static GYI_APART int recv_batch_info(gy_udp *u, gyi_dgram_in *in, gy_udp_msg *msgs, unsigned count, int *later) {
    gyi_dgram_info info[GYI_DGRAM_BATCH];
    int n = gyi_dgram_recv(&u->loop->sys, u->priv.fd, in, info, count, later);
    for (int i = 0; i < n; i++) {
        recv_note(&msgs[i], &in[i]);
        recv_note_info(&msgs[i], &info[i], u->priv.info);
    }
    return n;
}

/* Receives up to `count` datagrams. @return how many, or an error. */
static GYI_APART int recv_batch(gy_udp *u, gy_udp_msg *msgs, unsigned count, int *later) {
    gyi_dgram_in in[GYI_DGRAM_BATCH];
    recv_place(u, in, msgs, count);
    if (u->priv.info) return recv_batch_info(u, in, msgs, count, later);
    int n = gyi_dgram_recv(&u->loop->sys, u->priv.fd, in, NULL, count, later);
    for (int i = 0; i < n; i++) recv_note(&msgs[i], &in[i]);
    return n;
}

/* Twice the places when all were filled, half when most stayed empty. */
static void recv_expect(gy_udp *u, unsigned offered, unsigned filled) {
    unsigned next = offered;
    if (filled == offered) next = 2 * offered;
    else if (filled < offered / 4) next = offered / 2;
    if (next < RECV_LEAST) next = RECV_LEAST;
    u->priv.expect = (uint16_t)(next < u->priv.slots ? next : u->priv.slots);
}

/* What follows from an answer of the kernel: `n` slots of those that were offered, or an error. They hold `count`
 * datagrams. At most one call into user code, and that last. */
static inline void recv_tell(gy_udp *u, int n, unsigned offered, int later, const gy_udp_msg *msgs, unsigned count) {
    if (n == -EAGAIN) {
        recv_settle(u, true);
    } else if (n < 0) {
        /* Where there is a queue of errors, it has said more about this one. */
        if (!recv_tell_error(u)) recv_fail(u, n);
    } else {
        u->priv.err = later;
        recv_expect(u, offered, (unsigned)n);
        recv_settle(u, (unsigned)n < offered);
        if (count > 1) u->priv.turn = (uint32_t)u->loop->stats.turns; /* the answers leave together: see udpsend.c */
        u->priv.received(u, 0, msgs, count);
    }
}

/* Takes a slot apart. What of it did not fit into the slot is missing from the datagrams at its end, and known to the
 * byte; and no datagram is longer than `most`. @return how many there are */
static unsigned recv_split(const gy_udp_msg *whole, size_t segment, size_t most, gy_udp_msg *out) {
    size_t at = 0;
    unsigned n = 0;
    do {
        size_t left = whole->length - at, len = segment < left && n + 1 < RECV_PARTS ? segment : left;
        size_t from = at < whole->buf.len ? at : whole->buf.len, there = whole->buf.len - from;
        gy_udp_msg *m = &out[n++];
        if (there > len) there = len;
        if (there > most) there = most;
        *m = *whole;
        m->buf = (gy_buf){(char *)whole->buf.base + from, there};
        m->length = len;
        m->flags = there < len ? GY_UDP_TRUNCATED : 0;
        at += len;
    } while (at < whole->length);
    return n;
}

static GYI_APART void recv_joined(gy_udp *u) {
    gy_udp_msg whole[RECV_JOINED], msgs[RECV_JOINED * RECV_PARTS];
    gyi_dgram_in in[RECV_JOINED];
    gyi_dgram_info info[RECV_JOINED];
    unsigned offered = u->priv.slots < RECV_JOINED ? u->priv.slots : RECV_JOINED, count = 0;
    int later = 0;
    bool parting = gyi_udp_is(u, GYI_UDP_PARTING);
    if (parting) offered = 1;
    recv_place(u, in, whole, offered);
    if (parting) in[0].room = u->priv.into; /* the slots are made for single ones */
    int n = gyi_dgram_recv(&u->loop->sys, u->priv.fd, in, info, offered, &later);
    for (int i = 0; i < n; i++) {
        recv_note(&whole[i], &in[i]);
        recv_note_info(&whole[i], &info[i], u->priv.info);
        size_t segment = info[i].segment ? info[i].segment : whole[i].length;
        count += recv_split(&whole[i], segment, u->priv.size, &msgs[count]);
    }
    recv_tell(u, n, offered, later, msgs, count);
}

void gyi_udp_receive(gy_udp *u) {
    gy_udp_msg msgs[GYI_DGRAM_BATCH];
    int later = 0, err = u->priv.err;
    u->priv.err = 0;
    if (GYI_UNLIKELY(err)) {
        recv_fail(u, err);
        return;
    }
    if (GYI_UNLIKELY(gyi_udp_is(u, GYI_UDP_TROUBLE | GYI_UDP_JOINS))) {
        bool trouble = gyi_udp_is(u, GYI_UDP_TROUBLE);
        u->priv.state &= ~(unsigned)GYI_UDP_TROUBLE;
        if (trouble && recv_tell_error(u)) return;
        if (gyi_udp_is(u, GYI_UDP_JOINS)) {
            recv_joined(u);
            return;
        }
    }
    unsigned offered = u->priv.expect;
    int n = recv_batch(u, msgs, offered, &later);
    recv_tell(u, n, offered, later, msgs, n > 0 ? (unsigned)n : 0);
}

/* ---- starting and stopping --------------------------------------------------------------------------------------- */

/* Asks for what the kernel was not asked for yet. */
static int recv_ask(gy_udp *u, unsigned info) {
    unsigned missing = info & ~(unsigned)u->priv.asked;
    if (!missing) return 0;
    int err = gyi_dgram_ask(&u->loop->sys, u->priv.fd, gyi_udp_family(u), missing);
    if (!err) u->priv.asked |= (uint8_t)missing;
    return err;
}

/* Has the kernel join datagrams or no longer. What it cannot is no error: they come one by one then. */
static int recv_ask_join(gy_udp *u, bool join) {
    if (join) u->priv.state &= ~(unsigned)GYI_UDP_PARTING;
    if (join == gyi_udp_is(u, GYI_UDP_JOINS)) return 0;
    if (!join) return recv_part(u);
    int err = gyi_dgram_join(&u->loop->sys, u->priv.fd, 1);
    if (!err) u->priv.state |= GYI_UDP_JOINS;
    return err == -ENOTSUP ? 0 : err;
}

int gy_udp_recv_start(gy_udp *u, gy_udp_recv_opts opts) {
    if (!opts.fn || !opts.into.base || !opts.into.len || opts.size > opts.into.len) return -EINVAL;
    if (opts.info & ~(unsigned)GYI_DGRAM_INFO) return -EINVAL;
    if (!gyi_udp_usable(u)) return GY_ECLOSED;
    if (gyi_udp_is(u, GYI_UDP_RECEIVING)) return -EALREADY;
    if (gyi_udp_is(u, GYI_UDP_REFUSED)) return u->priv.watch.fd;
    int err = recv_ask(u, opts.info);
    if (!err) err = recv_ask_join(u, opts.join);
    if (err) return err;
    size_t size = opts.size ? opts.size : opts.into.len, slots = opts.into.len / size;
    u->priv.into = opts.into;
    u->priv.size = size;
    u->priv.slots = (uint16_t)(slots < GYI_DGRAM_BATCH ? slots : GYI_DGRAM_BATCH);
    if (!u->priv.expect) u->priv.expect = RECV_LEAST;
    if (u->priv.expect > u->priv.slots) u->priv.expect = u->priv.slots;
    u->priv.info = (uint8_t)opts.info;
    u->priv.received = opts.fn;
    u->priv.state |= GYI_UDP_RECEIVING;
    gyi_udp_interest(u);
    if (gyi_udp_is(u, GYI_UDP_READABLE | GYI_UDP_TROUBLE) || u->priv.err) gyi_udp_push_later(u);
    return 0;
}

/* The entry may stand for sending too, and stays where it is; without a receiver it does nothing else. */
void gy_udp_recv_stop(gy_udp *u) {
    if (!gyi_udp_usable(u) || !gyi_udp_is(u, GYI_UDP_RECEIVING)) return;
    u->priv.state &= ~(unsigned)GYI_UDP_RECEIVING;
    gyi_udp_interest(u);
}
