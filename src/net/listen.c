/* SPDX-License-Identifier: ISC */
/* Listening and accepting.
 *
 * The connection is accepted before the program is told of it, one at a time, so that "a connection waits" is always
 * true, also when another process was quicker. Until the program takes it, no further one is accepted.
 *
 * Before each call the listener pauses for a moment, and taking the connection ends the pause. So a program that could
 * not take it is told again, and one without free descriptors, where accepting fails, does not try again at once: in
 * neither case does the loop spin or the listener fall silent. */
#include "net/addr.h"
#include "net/stream.h"
#include "sys/fd.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/un.h>

#ifdef SO_REUSEPORT_LB
enum { LISTEN_REUSEPORT = SO_REUSEPORT_LB }; /* FreeBSD: the plain one does not spread */
#else
enum { LISTEN_REUSEPORT = SO_REUSEPORT };
#endif

enum { LISTEN_BACKLOG = 511 };
#ifdef TCP_FASTOPEN

/* Not an error where it is switched off: it is a wish. macOS and FreeBSD only know whether, and Linux knows how
 * many. */
static void listen_fast(gy_loop *l, int fd, int most) { gyi_sock_set(&l->sys, fd, IPPROTO_TCP, TCP_FASTOPEN, most); }

#else

static void listen_fast(gy_loop *l, int fd, int most) {
    (void)l;
    (void)fd;
    (void)most;
}

#endif

static const gy_ns LISTEN_PAUSE = GY_MS(100);

/* ---- accepting --------------------------------------------------------------------------------------------------- */

/* A paused listener's entry is on the loop's list of them, and on no other. */
static void listen_resume(gy_timer *timer) {
    gy_loop *l = GY_OF(timer, gy_loop, resume);
    while (!gyi_list_empty(&l->paused)) {
        gy_stream *s = GY_OF(gyi_list_take(&l->paused), gy_stream, priv.watch.entry);
        s->priv.state &= ~(unsigned)GYI_STREAM_PAUSED;
        s->priv.state |= GYI_STREAM_READABLE;
        gyi_stream_push(s);
    }
}

static void listen_pause(gy_stream *s) {
    gy_loop *l = s->loop;
    s->priv.state |= GYI_STREAM_PAUSED;
    s->priv.state &= ~(unsigned)GYI_STREAM_READABLE;
    gyi_stream_interest(s);
    gyi_list_append(&l->paused, &s->priv.watch.entry);
    if (gy_timer_active(&l->resume)) return;
    gy_timer_unref(&l->resume);
    gy_timer_start(l, &l->resume, (gy_timer_opts){.fn = listen_resume, .after = LISTEN_PAUSE});
}

void gyi_listen_ready(gy_stream *s) {
    int fd = s->priv.waiting ? s->priv.waiting - 1 : gyi_sock_accept(&s->loop->sys, s->priv.fd);
    if (fd == -EAGAIN) {
        s->priv.state &= ~(unsigned)GYI_STREAM_READABLE;
        gyi_stream_interest(s);
        return;
    }
    if (fd >= 0) s->priv.waiting = fd + 1;
    listen_pause(s); /* until it is taken; or, whatever the error is, it concerns one connection or passes */
    s->priv.fn.connect(s, fd < 0 ? fd : 0);
}

/* The connection was taken: on to the next one. */
static void listen_next(gy_stream *s) {
    gyi_queue_drop(&s->priv.watch.entry);
    s->priv.state &= ~(unsigned)GYI_STREAM_PAUSED;
    s->priv.state |= GYI_STREAM_READABLE;
    gyi_stream_push(s);
}

int gy_stream_accept(gy_stream *server, gy_stream *client) {
    if (!gy_stream_is_open(server) || !gyi_stream_is(server, GYI_STREAM_LISTENING)) return -EINVAL;
    if (client->priv.state) return -EALREADY;
    int fd = server->priv.waiting - 1;
    if (fd < 0) fd = gyi_sock_accept(&server->loop->sys, server->priv.fd);
    if (fd < 0) return fd;
    server->priv.waiting = fd + 1; /* until it has a stream */
    unsigned kind = server->priv.state & (GYI_STREAM_WARY | GYI_STREAM_LOCAL);
    int err = gyi_stream_adopt(server->loop, client, fd, GYI_STREAM_WRITABLE | kind);
    if (err) {
        if (!gyi_entry_listed(&server->priv.watch.entry)) listen_pause(server); /* to be announced again */
        return err;
    }
    server->priv.waiting = 0;
    if (gyi_stream_is(server, GYI_STREAM_PAUSED)) listen_next(server);
    return 0;
}

int gyi_listen_take(gy_stream *server) {
    if (!gy_stream_is_open(server) || !gyi_stream_is(server, GYI_STREAM_LISTENING)) return -EINVAL;
    int fd = server->priv.waiting - 1;
    if (fd < 0) fd = gyi_sock_accept(&server->loop->sys, server->priv.fd);
    if (fd < 0) return fd;
    server->priv.waiting = 0;
    if (gyi_stream_is(server, GYI_STREAM_PAUSED)) listen_next(server);
    return fd;
}

void gyi_listen_close(gy_stream *s) {
    if (s->priv.waiting) gyi_fd_close(&s->loop->sys, s->priv.waiting - 1);
    s->priv.waiting = 0;
    gyi_queue_drop(&s->priv.watch.entry); /* which may be on the list of paused ones */
    if (gyi_list_empty(&s->loop->paused)) gy_timer_stop(&s->loop->resume);
    if (s->loop->listener_closed) s->loop->listener_closed(s);
}

/* ---- listening --------------------------------------------------------------------------------------------------- */

/* Binds and listens, and makes the socket a listening stream. On failure it is closed. */
static int listen_begin(gy_loop *l, gy_stream *s, int fd, const gyi_sockaddr *addr, const gy_listen_opts *opts) {
    int err = gyi_sock_bind(&l->sys, fd, addr);
    if (!err && opts->mode && addr->addr.ss_family == AF_UNIX) {
        struct sockaddr_un un;
        memcpy(&un, &addr->addr, sizeof un);
        if (un.sun_path[0]) err = gyi_fd_chmod(&l->sys, un.sun_path, opts->mode);
    }
    if (!err) err = gyi_sock_listen(&l->sys, fd, opts->backlog > 0 ? opts->backlog : LISTEN_BACKLOG);
    if (!err && opts->fastopen > 0) listen_fast(l, fd, opts->fastopen); /* macOS wants it to listen already */
    if (!err) err = gyi_stream_adopt(l, s, fd, GYI_STREAM_LISTENING | gyi_stream_family(addr));
    if (err) gyi_fd_close(&l->sys, fd);
    else s->priv.fn.connect = opts->fn;
    return err;
}

static int listen_tcp_options(gy_loop *l, int fd, int family, const gy_listen_opts *opts) {
    int err = gyi_sock_set(&l->sys, fd, SOL_SOCKET, SO_REUSEADDR, 1);
    if (!err && opts->reuseport) err = gyi_sock_set(&l->sys, fd, SOL_SOCKET, LISTEN_REUSEPORT, 1);
    if (!err && family == AF_INET6) {
        err = gyi_sock_set(&l->sys, fd, IPPROTO_IPV6, IPV6_V6ONLY, opts->v6only);
        if (err == -EINVAL && !opts->v6only) err = 0; /* OpenBSD never takes both */
    }
    /* Connections inherit it, which saves a call for each. */
    if (!err) err = gyi_sock_set(&l->sys, fd, IPPROTO_TCP, TCP_NODELAY, 1);
    return err;
}

int gy_tcp_listen(gy_loop *loop, gy_stream *stream, gy_listen_opts opts) {
    gyi_sockaddr addr;
    if (!opts.fn || !opts.addr) return -EINVAL;
    if (stream->priv.state) return -EALREADY;
    int err = gyi_addr_parse(opts.addr, &addr);
    if (err) return err;
    int fd = gyi_sock_open(&loop->sys, addr.addr.ss_family);
    if (fd == -EAFNOSUPPORT && opts.addr[0] == '*' && !opts.v6only) {
        gyi_addr_any4(&addr, &addr);
        fd = gyi_sock_open(&loop->sys, addr.addr.ss_family);
    }
    if (fd < 0) return fd;
    err = listen_tcp_options(loop, fd, addr.addr.ss_family, &opts);
    if (!err) return listen_begin(loop, stream, fd, &addr, &opts);
    gyi_fd_close(&loop->sys, fd);
    return err;
}

int gy_local_listen(gy_loop *loop, gy_stream *stream, gy_listen_opts opts) {
    gyi_sockaddr addr;
    if (!opts.fn || !opts.addr) return -EINVAL;
    if (stream->priv.state) return -EALREADY;
    int err = gyi_addr_local(opts.addr, &addr);
    if (err) return err;
    int fd = gyi_sock_open(&loop->sys, AF_UNIX);
    return fd < 0 ? fd : listen_begin(loop, stream, fd, &addr, &opts);
}

int gy_stream_listen(gy_loop *loop, gy_stream *stream, int fd, gy_connect_fn *fn) {
    gyi_sockaddr addr;
    if (!fn) return -EINVAL;
    if (fd < 0) return -EBADF;
    if (stream->priv.state) return -EALREADY;
    gyi_sys *sys = &loop->sys;
    int err = gyi_slots_reserve(&loop->slots, &loop->alloc, fd);
    if (!err) err = gyi_sock_local(sys, fd, &addr);
    int mode = err ? err : gyi_fd_mode(sys, fd);
    if (mode < 0) return mode;
    err = gyi_sock_listen(sys, fd, LISTEN_BACKLOG);
    if (!err) err = gyi_fd_nonblock(sys, fd);
    unsigned state = GYI_STREAM_LISTENING | (mode & GYI_FD_WAITS ? GYI_STREAM_RESTORE : 0);
    if (!err) err = gyi_stream_adopt(loop, stream, fd, state | gyi_stream_family(&addr));
    if (!err) stream->priv.fn.connect = fn;
    return err;
}
