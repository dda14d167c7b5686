/* SPDX-License-Identifier: ISC */
/* Connecting. However soon the outcome is known, it is told from the loop. */
#include "net/addr.h"
#include "net/stream.h"
#include "sys/fd.h"

#include <netinet/in.h>
#include <netinet/tcp.h>

void gyi_connect_ready(gy_stream *s, unsigned got) {
    /* Without an event it was queued because the outcome was known at once, and is in `err`. */
    int err = s->priv.err;
    if (err == -EINPROGRESS) {
        if (!(got & (GY_WRITABLE | GYI_TROUBLE))) return;
        err = gyi_sock_error(&s->loop->sys, s->priv.fd);
    }
    s->priv.err = 0;
    s->priv.state &= ~(unsigned)GYI_STREAM_CONNECTING;
    if (err) gyi_write_fail(s, err);
    else s->priv.state |= GYI_STREAM_WRITABLE;
    if (s->priv.first) gyi_stream_push(s); /* what was written meanwhile */
    gyi_stream_interest(s);
    s->priv.fn.connect(s, err);
}

#ifdef TCP_FASTOPEN_CONNECT

/* Has the first write carry the request to connect, when the kernel knows that the peer takes it. It is a wish. */
static void connect_fast(gy_loop *l, int fd) { gyi_sock_set(&l->sys, fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 1); }

#else

static void connect_fast(gy_loop *l, int fd) {
    (void)l;
    (void)fd;
}

#endif

static int connect_begin(gy_loop *l, gy_stream *s, int fd, const gyi_sockaddr *addr, gy_connect_fn *fn) {
    /* The attempt comes first: a socket that is watched before it is connected reports a hang-up. */
    int outcome = gyi_sock_connect(&l->sys, fd, addr);
    int err = gyi_stream_adopt(l, s, fd, GYI_STREAM_CONNECTING | gyi_stream_family(addr));
    if (err) {
        gyi_fd_close(&l->sys, fd);
        return err;
    }
    s->priv.fn.connect = fn;
    s->priv.err = outcome;
    if (outcome != -EINPROGRESS) gyi_stream_push(s);
    return 0;
}

int gy_tcp_connect(gy_loop *loop, gy_stream *stream, gy_connect_opts opts) {
    gyi_sockaddr to, from = {.len = 0};
    if (!opts.fn || !opts.addr) return -EINVAL;
    if (stream->priv.state) return -EALREADY;
    if (opts.addr[0] == '*') return GY_EADDRESS;
    int err = gyi_addr_parse(opts.addr, &to);
    if (!err && opts.from) err = gyi_addr_parse(opts.from, &from);
    if (err) return err;
    int fd = gyi_sock_open(&loop->sys, to.addr.ss_family);
    if (fd < 0) return fd;
    err = gyi_sock_set(&loop->sys, fd, IPPROTO_TCP, TCP_NODELAY, 1);
    if (!err && from.len) err = gyi_sock_bind(&loop->sys, fd, &from);
    if (!err && opts.fastopen) connect_fast(loop, fd);
    if (!err) return connect_begin(loop, stream, fd, &to, opts.fn);
    gyi_fd_close(&loop->sys, fd);
    return err;
}

int gy_local_connect(gy_loop *loop, gy_stream *stream, gy_connect_opts opts) {
    gyi_sockaddr to;
    if (!opts.fn || !opts.addr) return -EINVAL;
    if (stream->priv.state) return -EALREADY;
    int err = gyi_addr_local(opts.addr, &to);
    if (err) return err;
    int fd = gyi_sock_open(&loop->sys, AF_UNIX);
    return fd < 0 ? fd : connect_begin(loop, stream, fd, &to, opts.fn);
}
