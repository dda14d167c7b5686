/* SPDX-License-Identifier: ISC */
/** @file stream.h
 *  Streams of bytes over tcp, local (unix) sockets and pipes: connect, listen, accept, read, write, shutdown, close.
 *
 *  Streams differ in how they open; afterwards they are one kind. A read is a request: one buffer in, one answer out;
 *  who does not ask, does not receive, and the peer feels it. A write is a request too: its memory is the caller's, so
 *  the library buffers nothing and a peer that stops reading is noticed by writes that stay unanswered.
 *
 *  Whatever an operation has to say, it says in its callback, from the loop, never from inside the call that started
 *  it. Functions that return `int` report only what is wrong at once: bad arguments, or a stream in the wrong state.
 *  Everything here is for the loop's thread.
 */
#ifndef GYRE_STREAM_H
#define GYRE_STREAM_H

#include "gyre/loop.h"
#include "gyre/timer.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct gy_stream gy_stream;
typedef struct gy_write gy_write;

/** A read is done. `got` is the part of the buffer that was filled, at least one byte; or `err` is negative: GY_EOF
 *  when the peer has sent everything, -ETIMEDOUT, GY_ECANCELED, or what the kernel says. After GY_EOF one may still
 *  write. The stream is still open and is closed by the caller. */
typedef void gy_read_fn(gy_stream *stream, int err, gy_buf got);

/** A write, or a shutdown, is done: everything was handed to the kernel, or `err` says why not. Writes report in the
 *  order in which they were queued. After an error those that follow report the same one. */
typedef void gy_write_fn(gy_write *write, int err);

/** A listening stream: a connection waits for gy_stream_accept(), or `err` is negative: there was one that could not be
 *  taken, -EMFILE for instance; it is tried again by itself after a pause.
 *  A connecting stream: it is connected, or `err` says why not (close it then). */
typedef void gy_connect_fn(gy_stream *stream, int err);

/** The stream is closed and its memory is the caller's again. The last callback of a stream. */
typedef void gy_close_fn(gy_stream *stream);

/** A stream. The caller's memory, valid as `{0}`; it must stay until the close callback. 136 bytes on 64-bit
 *  systems. */
struct gy_stream {
    void *user;    /**< the program's */
    gy_loop *loop; /**< read only: where it was opened */
    /** @cond internal */
    struct {
        struct gyi_watch watch; /* its entry carries reads, connects, accepts and the close */
        union {
            gy_buf buf; /* of the pending read */
            struct {
                void *base;
                gy_close_fn *closed; /* of a stream that closes, in which no read begins any more */
            } end;
        };
        union {
            gy_read_fn *read;
            gy_connect_fn *connect;
        } fn;
        gy_write *first, *last; /* not yet written completely */
        size_t queued, limit;   /* bytes */
        uint32_t state;
        int32_t fd;
        int32_t err;     /* what the pending read or connect will report */
        union {
            int32_t broken;  /* what writes report since one has failed; 0: none has */
            int32_t waiting; /* listening: a connection that was accepted for the next gy_stream_accept(), plus 1 */
        };
        union {
            const struct gyi_stream_kind *kind; /* who reads and writes for it */
            struct gyi_fds *fds;                /* descriptors that came and were not taken */
        } of;
    } priv;
    /** @endcond */
};

/** A write or shutdown on its way. The caller's memory, valid as `{0}`; it must stay until its callback. */
struct gy_write {
    void *user;        /**< the program's */
    gy_stream *stream; /**< read only: where it was written to */
    /** @cond internal */
    struct {
        gy_write_fn *fn;
        struct gyi_entry entry; /* on the callback queue once done */
        gy_write *next;         /* on the stream's queue before */
        union {
            const gy_buf *bufs; /* those not yet written; NULL when `own` is all there is */
            const int *fds;     /* the descriptors that go with it, until they have gone */
        };
        gy_buf own;             /* the first of them, as far as it is not yet written */
        uint32_t count;
        int32_t err;
    } priv;
    /** @endcond */
};

/* ---- opening ------------------------------------------------------------------------------------------------- */

/** How to listen. */
typedef struct gy_listen_opts {
    const char *addr;  /**< tcp: "127.0.0.1:7000", "[::1]:7000", "*:7000" (every address, both families where the system
                            can), port 0 for any free one. local: a path; on Linux "@name" is an abstract name */
    gy_connect_fn *fn; /**< called for each connection; never NULL */
    int backlog;       /**< connections that may wait in the kernel; default 511 */
    bool reuseport;    /**< tcp: several listeners may share the port, and the kernel spreads connections over them */
    bool v6only;       /**< tcp: do not take IPv4 connections on an IPv6 address */
    unsigned mode;     /**< local: permission bits of the socket file; 0: as the umask has it */
    int fastopen;      /**< tcp: connections that may bring their first bytes with the request and are not confirmed
                            yet; 0: none. A wish: without effect where the system cannot, or has it switched off */
} gy_listen_opts;

/** Opens a listening tcp socket.
 *  @return 0; GY_EADDRESS; -EINVAL without a function; -EALREADY when the stream is open; -EADDRINUSE and what else
 *  the kernel says. On failure the stream stays closed. */
GY_API int gy_tcp_listen(gy_loop *loop, gy_stream *stream, gy_listen_opts opts);

/** Opens a listening local (unix) socket. The path must be free (gyre removes no files); it is not removed on close.
 *  @return as gy_tcp_listen(); -ENAMETOOLONG for a path that does not fit. */
GY_API int gy_local_listen(gy_loop *loop, gy_stream *stream, gy_listen_opts opts);

/** Makes a listening stream of a bound socket that the caller has: from a service manager, or received from another
 *  process. The stream owns `fd` from then on. As long as it is open, the socket is non-blocking for all who share it.
 *  @return 0; -EBADF; -EINVAL without a function; -EALREADY when the stream is open; -ENOMEM; or what the kernel says,
 *  as for something that cannot listen. On failure `fd` stays the caller's. */
GY_API int gy_stream_listen(gy_loop *loop, gy_stream *stream, int fd, gy_connect_fn *fn);

/** How to connect. */
typedef struct gy_connect_opts {
    const char *addr;  /**< as in gy_listen_opts, with a host and a port that is not 0 */
    const char *from;  /**< tcp: the local address to connect from, "192.0.2.1:0"; NULL: any */
    gy_connect_fn *fn; /**< called once; never NULL */
    bool fastopen;     /**< tcp: the first write may go with the request to connect, a round trip earlier. `fn` may then
                            be told before the peer has answered, and what the peer says to it comes to the first write
                            or read. Only for protocols in which this side speaks first, since without a write nothing
                            is sent, and in which a first message that arrives twice does no harm. A wish: connects as
                            usual where the system cannot (Linux can), has it switched off, or does not know the peer
                            yet */
} gy_connect_opts;

/** Connects over tcp to a numeric address. Whether that worked comes to `fn`; for a time limit see gy_timeout_start().
 *  @return 0; GY_EADDRESS; -EINVAL without a function; -EALREADY when the stream is open; -EMFILE, -ENOMEM and what
 *  else keeps the attempt from being made, with the stream closed. */
GY_API int gy_tcp_connect(gy_loop *loop, gy_stream *stream, gy_connect_opts opts);

/** Connects to a local (unix) socket. As gy_tcp_connect(). */
GY_API int gy_local_connect(gy_loop *loop, gy_stream *stream, gy_connect_opts opts);

/** Makes a stream of a connected socket, pipe or terminal that the caller has. The stream owns `fd` from then on.
 *  Writing raises no SIGPIPE. What was opened for one direction only answers -EBADF to the other.
 *
 *  Whether reading and writing wait is a property of the open file, which a standard input shares with the process that
 *  left it. A socket keeps its mode on Linux and FreeBSD. Anything else is set non-blocking while the stream is open,
 *  and set back when it closes, or when the last stream of the loop on the same open file does; what was non-blocking
 *  before stays so. A process that ends with the stream open leaves it non-blocking: close the streams of inherited
 *  descriptors first.
 *  @return 0; -EBADF; -EALREADY when the stream is open; -ENOMEM. On failure `fd` stays as is. */
GY_API int gy_stream_open(gy_loop *loop, gy_stream *stream, int fd);

/** Opens two local streams that are connected with each other.
 *  @return 0; -EINVAL when they are the same; -EALREADY when one is open; -EMFILE, -ENOMEM and what else the kernel
 *  says. On failure both stay closed. */
GY_API int gy_stream_pair(gy_loop *loop, gy_stream *a, gy_stream *b);

/** Opens a pipe: what is written to `to` is read from `from`, and nothing the other way, where all is answered with
 *  -EBADF. gy_stream_shutdown() of `to` closes its descriptor. As gy_stream_pair() otherwise. */
GY_API int gy_pipe_pair(gy_loop *loop, gy_stream *from, gy_stream *to);

/** Takes a waiting connection from a listening stream, in its callback or at any later time, into `client`.
 *  @return 0; -EAGAIN when none is waiting; -EINVAL when `server` does not listen; -EALREADY when `client` is open;
 *  -EMFILE and what else the kernel says: the connection keeps waiting then. */
GY_API int gy_stream_accept(gy_stream *server, gy_stream *client);

/* ---- moving bytes -------------------------------------------------------------------------------------------- */

/** Reads once into `into`, which must stay until `fn` is called.
 *  @return 0; -EINVAL without a function or with an empty buffer; -EBUSY when a read is pending; -EBADF when the
 *  stream is for writing only; GY_ECLOSED. */
GY_API int gy_stream_read(gy_stream *stream, gy_buf into, gy_read_fn *fn);

/** Writes all of `from`, which must stay until `fn` is called. An empty buffer is a write of nothing that reports in
 *  its turn. @return 0; -EINVAL without a function; -EALREADY when `write` is on its way; -EBADF when the stream is for
 *  reading only; GY_ECLOSED when the stream is closing, or was shut down; GY_EBACKLOG beyond the limit
 *  (gy_stream_set_limit). */
GY_API int gy_stream_write(gy_stream *stream, gy_write *write, gy_buf from, gy_write_fn *fn);

/** Writes several buffers one after the other, gathered into as few system calls as possible. The array and what it
 *  points to must stay until `fn` is called. As gy_stream_write() otherwise. */
GY_API int gy_stream_writev(gy_stream *stream, gy_write *write, const gy_buf *from, unsigned count, gy_write_fn *fn);

/** Reads what is there, now. @return the number of bytes, at least 1; -EAGAIN when nothing is there; GY_EOF; -EBUSY
 *  when a read is pending; or what the kernel says. */
GY_API int64_t gy_stream_try_read(gy_stream *stream, gy_buf into);

/** Writes as much as goes, now. @return the number of bytes; -EAGAIN when nothing goes or writes are queued before it;
 *  GY_ECLOSED; or what the kernel says. */
GY_API int64_t gy_stream_try_write(gy_stream *stream, gy_buf from);

/** Ends the sending side once everything queued is written: the peer reads GY_EOF. Reading goes on. `fn` is called in
 *  the order of the writes. What is for writing only, as the end of a pipe, gives up its descriptor. @return as
 *  gy_stream_write(). */
GY_API int gy_stream_shutdown(gy_stream *stream, gy_write *write, gy_write_fn *fn);

/** Closes the stream. Pending reads and writes report GY_ECANCELED first, then `fn` (which may be NULL) is called at
 *  the end of the turn. Closing twice, or closing a stream that is not open, is ignored. */
GY_API void gy_stream_close(gy_stream *stream, gy_close_fn *fn);

/** Closes a tcp connection by resetting it: what is on its way in either direction is dropped, the peer reads
 *  -ECONNRESET, and no port is kept waiting. Otherwise as gy_stream_close().
 *  @return 0; -ENOTSUP for what is no tcp connection; GY_ECLOSED; or what the kernel says. On failure the stream is as
 *  it was, and may be closed. */
GY_API int gy_stream_reset(gy_stream *stream, gy_close_fn *fn);

/** Parts of a stream's work, for gy_stream_cancel() and gy_timeout_start(). */
enum gy_stream_part {
    GY_STREAM_READ  = 1, /**< the pending read or connect */
    GY_STREAM_WRITE = 2  /**< all queued writes; what was already sent of them stays sent */
};

/** Has the pending operations of the given parts report `err`, which is negative, and lets go of their memory once they
 *  have. Without any pending it does nothing. */
GY_API void gy_stream_cancel(gy_stream *stream, unsigned parts, int err);

/* ---- descriptors over local sockets --------------------------------------------------------------------------- */

/** How many descriptors may go with one write; and about so many may wait to be taken. */
enum { GY_STREAM_FDS_MOST = 128 };

/** Writes `from`, which is not empty, and sends `count` descriptors along with its first byte, in the order of the
 *  writes. The array and the descriptors must stay, and stay open, until `fn` is called; they remain the caller's, and
 *  the peer gets duplicates. A peer that does not ask for them (gy_stream_receive_fds) reads the bytes alone. One that
 *  is not open fails the write, and all that follow.
 *  @return as gy_stream_write(); -EINVAL for no descriptors or more than GY_STREAM_FDS_MOST; -EBADF for a negative one;
 *  -ENOTSUP when the stream is not a local socket. */
GY_API int gy_stream_send_fds(gy_stream *stream, gy_write *write, gy_buf from, const int *fds, unsigned count,
                              gy_write_fn *fn);

/** From now on, reads of this local socket take in the descriptors that the peer sends, close-on-exec, for
 *  gy_stream_take_fd(). While GY_STREAM_FDS_MOST or more wait to be taken, reads report GY_EBACKLOG and read nothing.
 *  What was never taken is closed with the stream.
 *  @return 0; -ENOTSUP when the stream is not a local socket; GY_ECLOSED; -ENOMEM. */
GY_API int gy_stream_receive_fds(gy_stream *stream);

/** The next descriptor that came, in the order in which they were sent. It is the caller's, in whatever mode the sender
 *  had it. Those that go with a byte are there when the read that brings the byte reports.
 *  @return the descriptor; -EAGAIN when none is left; -EMFILE, once, in place of some that the kernel had to drop
 *  because the process had no number free for them; -EINVAL when they are not asked for; GY_ECLOSED. */
GY_API int gy_stream_take_fd(gy_stream *stream);

/** Who made the socket at the other end of a local stream: of a listener, who bound it. */
typedef struct gy_peer_cred {
    int64_t pid;  /**< the process as it was then; -1 where the system does not tell */
    uint32_t uid; /**< its effective user */
    uint32_t gid; /**< its effective group */
} gy_peer_cred;

/** Asks the kernel who is at the other end. @return 0; -ENOTSUP when the stream is not a local socket; GY_ECLOSED; or
 *  what the kernel says. */
GY_API int gy_stream_peer_cred(const gy_stream *stream, gy_peer_cred *out);

/* ---- state and options --------------------------------------------------------------------------------------- */

GY_API bool gy_stream_is_open(const gy_stream *stream); /**< opened, and not closing */
GY_API int gy_stream_fd(const gy_stream *stream);       /**< the descriptor, which stays the stream's; -1 when closed */
GY_API size_t gy_stream_queued(const gy_stream *stream); /**< bytes that were written and not yet taken by the kernel */

/** Has gy_stream_write() answer GY_EBACKLOG instead of queueing when more than `bytes` would be queued; 0: no limit.
 *  A write to an empty queue is always taken. */
GY_API void gy_stream_set_limit(gy_stream *stream, size_t bytes);

GY_API void gy_stream_ref(gy_stream *stream);   /**< an open stream keeps the loop alive (the default) */
GY_API void gy_stream_unref(gy_stream *stream); /**< an open stream does not keep the loop alive */

/** An address as text: "127.0.0.1:7000", "[::1]:7000", a path, "@name" for an abstract name, "" for an unnamed one. */
typedef struct gy_addr {
    char text[112]; /**< ends in 0 */
} gy_addr;

GY_API int gy_stream_local_addr(const gy_stream *stream, gy_addr *out); /**< this side; 0 or a negative error */
GY_API int gy_stream_peer_addr(const gy_stream *stream, gy_addr *out);  /**< that side; 0 or a negative error */

/** Options of a socket. */
typedef enum gy_stream_opt {
    GY_NODELAY,     /**< tcp: 1 sends small writes at once (the default of gyre for tcp is 1), 0 collects them */
    GY_KEEPALIVE,   /**< tcp: seconds of silence before the peer is probed; 0: off */
    GY_SEND_BUFFER, /**< bytes of the kernel's send buffer */
    GY_RECV_BUFFER, /**< bytes of the kernel's receive buffer */
    GY_KEEPALIVE_INTERVAL, /**< tcp: seconds between probes, at least 1 */
    GY_KEEPALIVE_PROBES,   /**< tcp: probes without answer after which the connection is dropped, at least 1 */
    GY_USER_TIMEOUT        /**< tcp: milliseconds for which sent bytes may stay without an answer before the connection
                                is dropped; 0: as the system has it. Linux only */
} gy_stream_opt;

/** Sets an option of an open stream. @return 0; -EINVAL for a negative value or an unknown option; -ENOTSUP for one
 *  that this system has not; GY_ECLOSED; or what the kernel says. */
GY_API int gy_stream_set(gy_stream *stream, gy_stream_opt option, int value);

/** Asks for an option of an open stream: what is in effect, which may be more or less than what was set (Linux doubles
 *  the sizes of buffers). @return 0 and `*value`; as gy_stream_set() otherwise. */
GY_API int gy_stream_get(const gy_stream *stream, gy_stream_opt option, int *value);

/* ---- time limits --------------------------------------------------------------------------------------------- */

typedef struct gy_timeout gy_timeout;

/** A time limit for a part of a stream's work. The caller's memory, valid as `{0}`; it must stay until it was stopped
 *  or has struck. */
struct gy_timeout {
    gy_timer timer; /**< read only: gy_timer_active(), gy_timer_remaining() */
    /** @cond internal */
    struct {
        gy_stream *stream;
        unsigned parts;
    } priv;
    /** @endcond */
};

/** From now on, what is pending of `parts` after `after` nanoseconds reports -ETIMEDOUT. To be called again with each
 *  new operation (cheap: it moves the timer). It must be stopped before the stream's memory goes. */
GY_API void gy_timeout_start(gy_timeout *timeout, gy_stream *stream, unsigned parts, gy_ns after);

/** Lifts the limit. */
GY_API void gy_timeout_stop(gy_timeout *timeout);

#ifdef __cplusplus
}
#endif
#endif
