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

    GYI_STREAM_MOVING     = 0x00080, /* the pending read is one into another stream: see direct.c */
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
    GYI_STREAM_FDS        = 0x400000, /* reads bring descriptors too, which wait in `of.fds` */
    GYI_STREAM_LOCAL      = 0x800000, /* a local socket */
    GYI_STREAM_BLOCKING   = 0x1000000, /* a socket left in blocking mode: each call says itself not to wait */
    GYI_STREAM_RESTORE    = 0x2000000, /* was in blocking mode, which is put back on close */
    GYI_STREAM_READ_ONLY  = 0x4000000,
    GYI_STREAM_WRITE_ONLY = 0x8000000,
    GYI_STREAM_KIND       = 0x10000000, /* somebody else reads and writes for it: `of.kind` */
    GYI_STREAM_READ_OUT   = 0x20000000, /* which is doing a read */
    GYI_STREAM_WRITE_OUT  = 0x40000000, /* which is doing a write; or a thread is at work on the descriptor */

    /* Whatever makes a stream's turn something else than reading and writing. */
    GYI_STREAM_SPECIAL = GYI_STREAM_REFUSED | GYI_STREAM_LISTENING | GYI_STREAM_CONNECTING | GYI_STREAM_CLOSING |
                         GYI_STREAM_FAILED | GYI_STREAM_KIND,
    /* Whatever keeps a read from being taken at once. */
    GYI_STREAM_BARS = GYI_STREAM_SPECIAL | GYI_STREAM_READING | GYI_STREAM_WRITE_ONLY,
    /* Whatever makes a read something else than recv(). */
    GYI_STREAM_ODD = GYI_STREAM_FILE | GYI_STREAM_FDS | GYI_STREAM_MOVING,
    /* Whatever is to be given back on close, beside the descriptor. */
    GYI_STREAM_HOLDS = GYI_STREAM_LISTENING | GYI_STREAM_FDS | GYI_STREAM_RESTORE,
    /* Whatever keeps a write from being tried at once. */
    GYI_STREAM_HINDERS = GYI_STREAM_REFUSED | GYI_STREAM_LISTENING | GYI_STREAM_CONNECTING | GYI_STREAM_CLOSING |
                         GYI_STREAM_SHUT | GYI_STREAM_WROTE | GYI_STREAM_QUEUED | GYI_STREAM_BROKEN | GYI_STREAM_FILE |
                         GYI_STREAM_READ_ONLY | GYI_STREAM_KIND | GYI_STREAM_WRITE_OUT
};

/* Marks among the writes, in their `count`: a shutdown; a write with descriptors none of which has gone, that is, no
 * byte of it: `fds` are the descriptors, `err` their number, and `own` the bytes; and one of nothing that is done when
 * there is room. Smaller counts are counts. */
#define GYI_WRITE_SHUTDOWN UINT32_MAX
#define GYI_WRITE_FDS      (UINT32_MAX - 1)
#define GYI_WRITE_ROOM     (UINT32_MAX - 2)
#define GYI_WRITE_MARKS    GYI_WRITE_ROOM

static inline bool gyi_stream_is(const gy_stream *s, unsigned state) { return s->priv.state & state; }

/* Whether operations are taken. */
static inline bool gyi_stream_usable(const gy_stream *s) {
    return (s->priv.state & (GYI_STREAM_OPEN | GYI_STREAM_CLOSING | GYI_STREAM_LISTENING)) == GYI_STREAM_OPEN;
}

/* Makes an open stream of `fd`, which it owns from then on; `state` says what kind. @return 0; -EALREADY, -ENOMEM with
 * the stream and `fd` as they were. */
int gyi_stream_adopt(gy_loop *loop, gy_stream *stream, int fd, unsigned state);

/* What is to be known of a socket with such an address. */
static inline unsigned gyi_stream_family(const gyi_sockaddr *addr) {
    int family = addr->addr.ss_family;
    if (family == AF_INET || family == AF_INET6) return 0;
    return family == AF_UNIX ? GYI_STREAM_WARY | GYI_STREAM_LOCAL : GYI_STREAM_WARY;
}

/* Whether a watcher is that of a stream. */
bool gyi_stream_watches(const gyi_watch *watch);

/* Tells the pending read or connect what it was made to fail with. One call into user code. */
void gyi_stream_answer_failed(gy_stream *stream);

/* Lets go of the descriptor; the stream stays open without it. While it is lent, it is only not watched any more. */
void gyi_stream_drop(gy_stream *stream);

/* Lends the descriptor of an open stream to a thread that writes to it, and takes it back. Meanwhile nothing else is
 * written, and closing waits. What the kernel says of room in between is kept; `room` is what the thread has found. */
typedef enum gyi_room { GYI_ROOM_NONE, GYI_ROOM_LEFT } gyi_room;
void gyi_stream_lend(gy_stream *stream);
void gyi_stream_return(gy_stream *stream, gyi_room room);

/* Where levels are reported: watches for what is needed now, and not for what would be reported for nothing. */
void gyi_stream_interest(gy_stream *stream);

/* Puts the stream's entry on the queue, if it is not there. */
static inline void gyi_stream_push(gy_stream *s) { gyi_watch_push(s->loop, &s->priv.watch); }

/* ---- write.c ---- */

/* Writes what is queued, as far as it goes. */
void gyi_write_flush(gy_stream *stream);

/* Why a write is not taken; 0 when it is. */
int gyi_write_check(const gy_stream *stream, const gy_write *write, gy_write_fn *fn);

/* Queues a write whose buffers or mark are set and of which `len` bytes are to go, or says GY_EBACKLOG. */
int gyi_write_add(gy_stream *stream, gy_write *write, size_t len, gy_write_fn *fn);

/* Has the stream look at its queue. */
void gyi_write_wake(gy_stream *stream);

/* Puts the buffers of the first writes into `out`, up to a mark. @return how many, at most `cap`. */
unsigned gyi_write_gather(const gy_stream *stream, gy_buf *out, unsigned cap);

/* Reports the writes that `n` more bytes finish, and those of nothing that follow. */
void gyi_write_consume(gy_stream *stream, size_t n);

/* Takes a write out of the queue as if it had never been there. @return false when it is not in it any more. */
bool gyi_write_withdraw(gy_stream *stream, gy_write *write);

/* Ends the first write, which is a shutdown. */
void gyi_write_ended(gy_stream *stream, int err);

/* From now on writes report `err`, unless they did already. */
void gyi_write_break(gy_stream *stream, int err);

/* Has all queued writes report `err`. */
void gyi_write_fail(gy_stream *stream, int err);

/* ---- listen.c, connect.c: what readiness means to them. At most one call into user code, and that last. ---- */
void gyi_listen_ready(gy_stream *server);
void gyi_connect_ready(gy_stream *stream, unsigned got);

/* Takes a waiting connection, which becomes the caller's, as a mere descriptor. @return it, or as gy_stream_accept() */
int gyi_listen_take(gy_stream *server);

/* Gives back what a listener holds when it closes. */
void gyi_listen_close(gy_stream *server);

/* ---- fds.c ---- */

/* What is done for descriptors that travel along. It is known by pointer (gy_loop.fds), set by the first call that asks
 * for such a thing, so that programs without it do not link it. */
typedef struct gyi_fds_ops {
    /* Reads bytes, and descriptors into the stream's list of them. As stream_recv(). */
    int64_t (*recv)(gy_stream *stream, gy_buf into);

    /* Sends the first byte and more of the first write of the queue, and its descriptors. @return as gyi_sock_send();
     * with 1 or more, it is a write like others from then on. */
    ssize_t (*send)(gy_stream *stream);

    /* Closes the descriptors that were never taken. */
    void (*close)(gy_stream *stream);
} gyi_fds_ops;

/* ---- open.c ---- */

/* Puts the blocking mode back, or leaves that to another stream of the same open file. */
void gyi_open_restore(gy_stream *stream);

#endif
