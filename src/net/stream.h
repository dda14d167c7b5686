/* SPDX-License-Identifier: ISC */
/* What the files of streams share: the states, and the steps from one to another.
 *
 *   closed -> listening | connecting | open -> closing -> closed
 *
 * The descriptor is registered once. Where the backend reports edges, it is registered for both directions, and what is
 * known of readiness is kept in two flags that only a call which found nothing takes away: steady traffic changes no
 * interest. Where it reports levels, interest follows need (gyi_stream_interest).
 *
 * A stream's own entry (watch.entry) stands for one thing at a time: readiness, the answer to a read, connect or
 * accept, and in the end the close callback. Writes have entries of their own. */
#ifndef GYI_NET_STREAM_H
#define GYI_NET_STREAM_H

#include "loop/loop.h"
#include "sys/sock.h"

enum {
    /* What the watcher finds in `got` becomes state as it is: */
    GYI_STREAM_READABLE = GY_READABLE,                            /* a read may bring something */
    GYI_STREAM_WRITABLE = GY_WRITABLE,                            /* a write may bring something out */
    GYI_STREAM_ENDED    = GYI_TROUBLE | GYI_GOT_EOF,              /* the peer has closed: stays readable to the end */
    GYI_STREAM_REFUSED  = GYI_GOT_REFUSED,                        /* the kernel would not watch it: see watch.fd */
    GYI_STREAM_GOT      = GYI_EVENTS | GYI_GOT_EOF | GYI_GOT_REFUSED, /* all of these */

    GYI_STREAM_OPEN       = 0x00100,
    GYI_STREAM_LISTENING  = 0x00200,
    GYI_STREAM_CONNECTING = 0x00400, /* `fn.connect` is to be told */
    GYI_STREAM_READING    = 0x00800, /* `fn.read` is to be told */
    GYI_STREAM_SHUT       = 0x01000, /* shutdown was asked for: no more writes */
    GYI_STREAM_CLOSING    = 0x02000,
    GYI_STREAM_FAILED     = 0x04000, /* `err` is what the pending read or connect is told */
    GYI_STREAM_WROTE      = 0x08000, /* a write made at once has not reported yet: gather those that follow */
    GYI_STREAM_QUEUED     = 0x10000, /* there are writes that are not done */
    GYI_STREAM_BROKEN     = 0x20000, /* a write has failed, and `broken` says why: so do all that follow */
    GYI_STREAM_PAUSED     = 0x40000, /* listening: told of a connection, or of having no descriptor for one */
    GYI_STREAM_FILE       = 0x80000, /* no socket: a pipe, a terminal */
    GYI_STREAM_LEVEL      = 0x100000, /* the backend reports states, not changes */
    GYI_STREAM_WARY       = 0x200000, /* no tcp: a short read does not mean that there is no more */

    /* Whatever makes a stream's turn something else than reading and writing. */
    GYI_STREAM_SPECIAL = GYI_STREAM_REFUSED | GYI_STREAM_LISTENING | GYI_STREAM_CONNECTING | GYI_STREAM_CLOSING |
                         GYI_STREAM_FAILED,
    /* Whatever keeps a write from being tried at once. */
    GYI_STREAM_HINDERS = GYI_STREAM_REFUSED | GYI_STREAM_LISTENING | GYI_STREAM_CONNECTING | GYI_STREAM_CLOSING |
                         GYI_STREAM_SHUT | GYI_STREAM_WROTE | GYI_STREAM_QUEUED | GYI_STREAM_BROKEN | GYI_STREAM_FILE
};

/* The mark of a shutdown among the writes: their `count`. */
#define GYI_WRITE_SHUTDOWN UINT32_MAX

static inline bool gyi_stream_is(const gy_stream *s, unsigned state) { return s->priv.state & state; }

/* Whether operations are taken. */
static inline bool gyi_stream_usable(const gy_stream *s) {
    return (s->priv.state & (GYI_STREAM_OPEN | GYI_STREAM_CLOSING | GYI_STREAM_LISTENING)) == GYI_STREAM_OPEN;
}

/* Makes an open stream of `fd`, which it owns from then on; `state` says what kind. @return 0; -EALREADY, -ENOMEM with
 * the stream and `fd` as they were. */
int gyi_stream_adopt(gy_loop *loop, gy_stream *stream, int fd, unsigned state);

/* GYI_STREAM_WARY for a socket of an address that is not one of tcp, else 0. */
static inline unsigned gyi_stream_kind(const gyi_sockaddr *addr) {
    bool tcp = addr->addr.ss_family == AF_INET || addr->addr.ss_family == AF_INET6;
    return tcp ? 0 : GYI_STREAM_WARY;
}

/* Where levels are reported: watches for what is needed now, and not for what would be reported for nothing. */
void gyi_stream_interest(gy_stream *stream);

/* Puts the stream's entry on the queue, if it is not there. */
static inline void gyi_stream_push(gy_stream *s) { gyi_watch_push(s->loop, &s->priv.watch); }

/* ---- write.c ---- */

/* Writes what is queued, as far as it goes. */
void gyi_write_flush(gy_stream *stream);

/* Has all queued writes report `err`. */
void gyi_write_fail(gy_stream *stream, int err);

/* ---- listen.c, connect.c: what readiness means to them. At most one call into user code, and that last. ---- */
void gyi_listen_ready(gy_stream *server);
void gyi_connect_ready(gy_stream *stream, unsigned got);

/* Gives back what a listener holds when it closes. */
void gyi_listen_close(gy_stream *server);

#endif
