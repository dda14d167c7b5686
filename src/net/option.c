/* SPDX-License-Identifier: ISC */
/* Options, addresses, credentials and time limits of streams. */
#include "net/addr.h"
#include "net/stream.h"
#include "sys/peer.h"

#include <netinet/in.h>
#include <netinet/tcp.h>

#ifdef TCP_KEEPINTVL
enum { OPTION_INTERVAL = TCP_KEEPINTVL, OPTION_PROBES = TCP_KEEPCNT };
#else
enum { OPTION_INTERVAL = -1, OPTION_PROBES = -1 };
#endif

#ifdef TCP_USER_TIMEOUT
enum { OPTION_USER_TIMEOUT = TCP_USER_TIMEOUT };
#else
enum { OPTION_USER_TIMEOUT = -1 };
#endif

/* What the kernel calls an option; a `name` of -1: this system has it not. */
typedef struct option_name {
    int level, name;
} option_name;

static const option_name option_names[] = {
    [GY_NODELAY] = {IPPROTO_TCP, TCP_NODELAY},
    [GY_KEEPALIVE] = {SOL_SOCKET, SO_KEEPALIVE}, /* the switch; the seconds are another one */
    [GY_SEND_BUFFER] = {SOL_SOCKET, SO_SNDBUF},
    [GY_RECV_BUFFER] = {SOL_SOCKET, SO_RCVBUF},
    [GY_KEEPALIVE_INTERVAL] = {IPPROTO_TCP, OPTION_INTERVAL},
    [GY_KEEPALIVE_PROBES] = {IPPROTO_TCP, OPTION_PROBES},
    [GY_USER_TIMEOUT] = {IPPROTO_TCP, OPTION_USER_TIMEOUT},
};

/* What has no socket has nothing that is asked for here. Of a file the kernel would say so in other words. */
static int option_open(const gy_stream *s) {
    if (!gy_stream_is_open(s)) return GY_ECLOSED;
    return gyi_stream_is(s, GYI_STREAM_KIND) ? -ENOTSUP : 0;
}

static int option_check(const gy_stream *s, gy_stream_opt option) {
    int err = option_open(s);
    if (err) return err;
    if ((size_t)option >= sizeof option_names / sizeof *option_names) return -EINVAL;
    return option_names[option].name < 0 ? -ENOTSUP : 0;
}

int gy_stream_set(gy_stream *s, gy_stream_opt option, int value) {
    int err = option_check(s, option);
    if (err) return err;
    if (value < 0) return -EINVAL;
    gyi_sys *sys = &s->loop->sys;
    if (option == GY_KEEPALIVE) return gyi_sock_keepalive(sys, s->priv.fd, value);
    if (option == GY_NODELAY) value = !!value;
    return gyi_sock_set(sys, s->priv.fd, option_names[option].level, option_names[option].name, value);
}

int gy_stream_get(const gy_stream *s, gy_stream_opt option, int *value) {
    int err = option_check(s, option);
    if (err) return err;
    gyi_sys *sys = &s->loop->sys;
    err = gyi_sock_get(sys, s->priv.fd, option_names[option].level, option_names[option].name, value);
    if (err) return err;
    if (option == GY_KEEPALIVE && *value) return gyi_sock_keepalive_time(sys, s->priv.fd, value);
    if (option == GY_NODELAY) *value = !!*value; /* some systems give the bit */
    return 0;
}

int gy_stream_peer_cred(const gy_stream *s, gy_peer_cred *out) {
    gyi_peer peer;
    if (!gy_stream_is_open(s)) return GY_ECLOSED;
    if (!gyi_stream_is(s, GYI_STREAM_LOCAL)) return -ENOTSUP;
    int err = gyi_peer_get(&s->loop->sys, s->priv.fd, &peer);
    if (!err) *out = (gy_peer_cred){peer.pid, peer.uid, peer.gid};
    return err;
}

int gy_stream_local_addr(const gy_stream *s, gy_addr *out) {
    gyi_sockaddr addr;
    int err = option_open(s);
    if (!err) err = gyi_sock_local(&s->loop->sys, s->priv.fd, &addr);
    if (!err) gyi_addr_format(&addr, out);
    return err;
}

int gy_stream_peer_addr(const gy_stream *s, gy_addr *out) {
    gyi_sockaddr addr;
    int err = option_open(s);
    if (!err) err = gyi_sock_peer(&s->loop->sys, s->priv.fd, &addr);
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
