/* SPDX-License-Identifier: ISC */
/* Udp sockets: opening, what an event leads to, and closing. Sending, receiving and options have files of their own. */
#include "net/udp.h"

#include <netinet/in.h>

#include "net/addr.h"
#include "sys/fd.h"

static gy_udp *udp_of(gyi_entry *entry) { return GY_OF(entry, gy_udp, priv.watch.entry); }

void gyi_udp_interest(gy_udp *u) {
    unsigned state = u->priv.state, want = 0;
    if (!(state & GYI_UDP_LEVEL) || !gyi_watch_active(&u->priv.watch)) return;
    if (state & GYI_UDP_RECEIVING) want |= GY_READABLE;
    if (u->priv.first && !(state & GYI_UDP_WRITABLE)) want |= GY_WRITABLE;
    if ((u->priv.watch.want & GYI_INTEREST) != want) gyi_watch_change(u->loop, &u->priv.watch, want);
}

void gyi_udp_push(gy_udp *u) { gyi_watch_push(u->loop, &u->priv.watch); }

void gyi_udp_push_later(gy_udp *u) {
    gyi_queue *q = &u->loop->queue;
    if (gyi_entry_listed(&u->priv.watch.entry)) return;
    u->priv.watch.got = 0;
    gyi_list_append(&q->later, &u->priv.watch.entry);
    q->special |= GYI_SPECIAL_LATE;
}

/* ---- events ------------------------------------------------------------------------------------------------------ */

/* The kernel would not watch it. Who receives hears of it and does so no more. */
static GYI_APART void udp_refused(gy_udp *u) {
    gyi_udp_flush(u); /* which lets fail what does not go at once */
    if (!gyi_udp_is(u, GYI_UDP_RECEIVING)) return;
    u->priv.state &= ~(unsigned)GYI_UDP_RECEIVING;
    u->priv.received(u, u->priv.watch.fd, NULL, 0);
}

static void udp_closed(gy_udp *u) {
    gy_udp_close_fn *closed = u->priv.closed;
    u->priv.state = 0;
    u->loop->open--;
    if (closed) closed(u);
}

static void udp_run(gyi_entry *entry) {
    gy_udp *u = udp_of(entry);
    unsigned state = u->priv.state |= u->priv.watch.got & GYI_UDP_GOT;
    if (GYI_UNLIKELY(state & (GYI_UDP_CLOSING | GYI_UDP_REFUSED))) {
        if (state & GYI_UDP_CLOSING) udp_closed(u);
        else udp_refused(u);
        return;
    }
    if (u->priv.first) gyi_udp_flush(u);
    if (!(state & GYI_UDP_RECEIVING)) {
        /* Where states are reported, an error that stays would be reported for ever. */
        if ((state & GYI_UDP_TROUBLE) && (state & GYI_UDP_LEVEL)) gyi_udp_drop_errors(u);
        gyi_udp_interest(u);
    } else if ((state & (GYI_UDP_READABLE | GYI_UDP_TROUBLE)) || u->priv.err) {
        gyi_udp_receive(u);
    }
}

/* ---- opening ----------------------------------------------------------------------------------------------------- */

/* Makes an open socket of `fd`, which it owns from then on. */
static int udp_begin(gy_loop *l, gy_udp *u, int fd, unsigned state) {
    bool edge = l->poller.caps & GYI_CAP_EDGE;
    u->priv.watch.entry.run = udp_run;
    int err = gyi_watch_start(l, &u->priv.watch, fd, edge ? GY_READABLE | GY_WRITABLE | GY_EDGE : 0);
    if (err) return err;
    u->loop = l;
    u->priv.fd = fd;
    u->priv.first = u->priv.last = NULL;
    u->priv.queued = 0;
    u->priv.err = u->priv.suspect = 0;
    u->priv.asked = 0;
    u->priv.turn = (uint32_t)l->stats.turns - 1;
    u->priv.state = state | GYI_UDP_OPEN | GYI_UDP_WRITABLE | (edge ? 0 : GYI_UDP_LEVEL);
    l->open++;
    return 0;
}

/* The local address, the peer's, and a new socket that suits both. @return the descriptor or an error. */
static int udp_create(gy_loop *l, const gy_udp_opts *opts, gyi_sockaddr *at, gyi_sockaddr *peer) {
    at->len = peer->len = 0;
    if (opts->send_buffer < 0 || opts->recv_buffer < 0) return -EINVAL;
    const char *addr = opts->addr ? opts->addr : opts->peer ? NULL : "*:0";
    int err = opts->peer ? gyi_addr_parse(opts->peer, peer) : 0;
    if (!err && addr) err = gyi_addr_parse(addr, at);
    if (err) return err;
    int fd = gyi_dgram_open(&l->sys, at->len ? at->addr.ss_family : peer->addr.ss_family);
    if (fd != -EAFNOSUPPORT || !addr || addr[0] != '*' || opts->v6only) return fd;
    gyi_addr_any4(at, at);
    return gyi_dgram_open(&l->sys, AF_INET);
}

static int udp_configure(gy_loop *l, int fd, int family, const gy_udp_opts *opts) {
    gyi_sys *sys = &l->sys;
    int err = 0;
    if (opts->reuseaddr) err = gyi_sock_set(sys, fd, SOL_SOCKET, SO_REUSEADDR, 1);
    if (!err && opts->reuseport) err = gyi_dgram_share_port(sys, fd);
    if (!err && opts->broadcast) err = gyi_sock_set(sys, fd, SOL_SOCKET, SO_BROADCAST, 1);
    if (!err && opts->send_buffer) err = gyi_sock_set(sys, fd, SOL_SOCKET, SO_SNDBUF, opts->send_buffer);
    if (!err && opts->recv_buffer) err = gyi_sock_set(sys, fd, SOL_SOCKET, SO_RCVBUF, opts->recv_buffer);
    if (!err && opts->path_errors) err = gyi_dgram_keep_errors(sys, fd, family);
    if (!err && family == AF_INET6) {
        err = gyi_sock_set(sys, fd, IPPROTO_IPV6, IPV6_V6ONLY, opts->v6only);
        if (err == -EINVAL && !opts->v6only) err = 0; /* OpenBSD never takes both */
    }
    return err;
}

/* Connects to an address of either family. */
static int udp_attach(gy_loop *l, int fd, int family, const gy_endpoint *peer) {
    gy_endpoint to;
    gyi_sockaddr addr;
    int err = gyi_endpoint_for(family, peer, &to);
    if (err) return err;
    gyi_endpoint_to(&to, &addr);
    return gyi_sock_connect(&l->sys, fd, &addr);
}

int gy_udp_open(gy_loop *loop, gy_udp *udp, gy_udp_opts opts) {
    gyi_sockaddr at, peer;
    gy_endpoint to;
    if (udp->priv.state) return -EALREADY;
    int fd = udp_create(loop, &opts, &at, &peer);
    if (fd < 0) return fd;
    int family = at.len ? at.addr.ss_family : peer.addr.ss_family;
    int err = udp_configure(loop, fd, family, &opts);
    if (!err && at.len) err = gyi_sock_bind(&loop->sys, fd, &at);
    if (!err && peer.len) {
        gyi_endpoint_from(&to, &peer);
        err = udp_attach(loop, fd, family, &to);
    }
    unsigned state = (family == AF_INET6 ? GYI_UDP_V6 : 0) | (peer.len ? GYI_UDP_CONNECTED : 0);
    if (!err) err = udp_begin(loop, udp, fd, state | (opts.path_errors ? GYI_UDP_ERRORS : 0));
    if (err) gyi_fd_close(&loop->sys, fd);
    return err;
}

int gy_udp_adopt(gy_loop *loop, gy_udp *udp, int fd) {
    gyi_sockaddr at, peer;
    int type;
    if (fd < 0) return -EBADF;
    if (udp->priv.state) return -EALREADY;
    int err = gyi_sock_get(&loop->sys, fd, SOL_SOCKET, SO_TYPE, &type);
    if (!err && type != SOCK_DGRAM) err = -EPROTOTYPE;
    if (!err) err = gyi_sock_local(&loop->sys, fd, &at);
    if (!err && at.addr.ss_family != AF_INET && at.addr.ss_family != AF_INET6) err = -EAFNOSUPPORT;
    /* What can fail comes before what changes the descriptor. */
    if (!err) err = gyi_slots_reserve(&loop->slots, &loop->alloc, fd);
    if (err) return err;
    int lone = gyi_sock_peer(&loop->sys, fd, &peer);
    if (lone && lone != -ENOTCONN) return lone;
    err = gyi_fd_nonblock(&loop->sys, fd);
    if (err) return err;
    unsigned state = (at.addr.ss_family == AF_INET6 ? GYI_UDP_V6 : 0) | (lone ? 0 : GYI_UDP_CONNECTED);
    /* A queue of errors that nobody empties is reported for ever, and takes the room of what is received. */
    if (gyi_dgram_keeps_errors(&loop->sys, fd, at.addr.ss_family)) state |= GYI_UDP_ERRORS;
    if (gyi_dgram_joins(&loop->sys, fd)) state |= GYI_UDP_JOINS;
    return udp_begin(loop, udp, fd, state);
}

int gy_udp_connect(gy_udp *u, const gy_endpoint *peer) {
    if (!gyi_udp_usable(u)) return GY_ECLOSED;
    /* What waits was meant for the peer of before. */
    if (u->priv.first) gyi_udp_flush(u);
    if (u->priv.first) return -EBUSY;
    int err = peer ? udp_attach(u->loop, u->priv.fd, gyi_udp_family(u), peer)
                   : gyi_dgram_disconnect(&u->loop->sys, u->priv.fd);
    if (err) return err;
    if (peer) u->priv.state |= GYI_UDP_CONNECTED;
    else u->priv.state &= ~(unsigned)GYI_UDP_CONNECTED;
    return 0;
}

/* ---- closing and state ------------------------------------------------------------------------------------------- */

void gy_udp_close(gy_udp *u, gy_udp_close_fn *fn) {
    if (!gyi_udp_usable(u)) return;
    gy_loop *loop = u->loop;
    gyi_watch_forget(loop, &u->priv.watch);
    gyi_fd_close(&loop->sys, u->priv.fd);
    u->priv.fd = -1;
    u->priv.closed = fn;
    gyi_udp_fail(u, GY_ECANCELED);
    u->priv.state = GYI_UDP_OPEN | GYI_UDP_CLOSING;
    u->priv.watch.got = 0;
    gyi_queue_close(&loop->queue, &u->priv.watch.entry);
}

bool gy_udp_is_open(const gy_udp *u) { return gyi_udp_usable(u); }

int gy_udp_fd(const gy_udp *u) { return gyi_udp_usable(u) ? u->priv.fd : -1; }

void gy_udp_ref(gy_udp *u) {
    if (u->loop) gyi_watch_ref(u->loop, &u->priv.watch);
}

void gy_udp_unref(gy_udp *u) {
    if (u->loop) gyi_watch_unref(u->loop, &u->priv.watch);
}

int gy_udp_local(const gy_udp *u, gy_endpoint *out) {
    gyi_sockaddr addr;
    if (!gyi_udp_usable(u)) return GY_ECLOSED;
    int err = gyi_sock_local(&u->loop->sys, u->priv.fd, &addr);
    if (!err) gyi_endpoint_from(out, &addr);
    if (!err) gyi_endpoint_plain(out);
    return err;
}

int gy_udp_peer(const gy_udp *u, gy_endpoint *out) {
    gyi_sockaddr addr;
    if (!gyi_udp_usable(u)) return GY_ECLOSED;
    int err = gyi_sock_peer(&u->loop->sys, u->priv.fd, &addr);
    if (!err) gyi_endpoint_from(out, &addr);
    if (!err) gyi_endpoint_plain(out);
    return err;
}
