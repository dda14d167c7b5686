/* SPDX-License-Identifier: ISC */
/* Options, addresses and time limits of streams. */
#include "net/addr.h"
#include "net/stream.h"

#include <netinet/in.h>
#include <netinet/tcp.h>

int gy_stream_set(gy_stream *s, gy_stream_opt option, int value) {
    if (!gy_stream_is_open(s)) return GY_ECLOSED;
    if (value < 0) return -EINVAL;
    gyi_sys *sys = &s->loop->sys;
    switch (option) {
    case GY_NODELAY: return gyi_sock_set(sys, s->priv.fd, IPPROTO_TCP, TCP_NODELAY, !!value);
    case GY_KEEPALIVE: return gyi_sock_keepalive(sys, s->priv.fd, value);
    case GY_SEND_BUFFER: return gyi_sock_set(sys, s->priv.fd, SOL_SOCKET, SO_SNDBUF, value);
    case GY_RECV_BUFFER: return gyi_sock_set(sys, s->priv.fd, SOL_SOCKET, SO_RCVBUF, value);
    }
    return -EINVAL;
}

int gy_stream_local_addr(const gy_stream *s, gy_addr *out) {
    gyi_sockaddr addr;
    if (!gy_stream_is_open(s)) return GY_ECLOSED;
    int err = gyi_sock_local(&s->loop->sys, s->priv.fd, &addr);
    if (!err) gyi_addr_format(&addr, out);
    return err;
}

int gy_stream_peer_addr(const gy_stream *s, gy_addr *out) {
    gyi_sockaddr addr;
    if (!gy_stream_is_open(s)) return GY_ECLOSED;
    int err = gyi_sock_peer(&s->loop->sys, s->priv.fd, &addr);
    if (!err) gyi_addr_format(&addr, out);
    return err;
}

static void timeout_strike(gy_timer *timer) {
    gy_timeout *t = GY_OF(timer, gy_timeout, timer);
    gy_stream_cancel(t->priv.stream, t->priv.parts, -ETIMEDOUT);
}

void gy_timeout_start(gy_timeout *t, gy_stream *stream, unsigned parts, gy_ns after) {
    if (!stream->loop) return;
    t->priv.stream = stream;
    t->priv.parts = parts;
    gy_timer_start(stream->loop, &t->timer, (gy_timer_opts){.fn = timeout_strike, .after = after > 0 ? after : 1});
}

void gy_timeout_stop(gy_timeout *t) { gy_timer_stop(&t->timer); }
