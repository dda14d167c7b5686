/* SPDX-License-Identifier: ISC */
/* Streams that are neither socket nor pipe: what reads and writes for them is a table of functions.
 *
 * Such a stream has the queue of writes, the pending read, the limit, cancelling and closing of any other; only the
 * steps that would call the kernel are the kind's. It begins them (read, write, end), answers at once or says
 * -EINPROGRESS, and tells of the outcome from a callback of its own on the loop, through gyi_kind_read_done() and
 * gyi_kind_write_done(). One read and one write may be under way at the same time.
 *
 * Everything about such streams happens in gyi_kind_run(), the slow half of a stream's turn: plain streams pay nothing.
 * A kind's struct has the gy_stream within it, and finds itself by GY_OF. */
#ifndef GYI_NET_KIND_H
#define GYI_NET_KIND_H

#include "gyre/stream.h"

struct gyi_move;

typedef struct gyi_stream_kind {
    /* Begins to read into the stream's `priv.buf`. @return bytes, at least 1; GY_EOF; a negative error; or
     * -EINPROGRESS, and gyi_kind_read_done() will be called. NULL with GYI_STREAM_WRITE_ONLY. */
    int64_t (*read)(gy_stream *);
    /* Begins to write what gyi_write_gather() says, any part of it, at least 1 byte. @return bytes, a negative error,
     * or
     * -EINPROGRESS, and gyi_kind_write_done() will be called. NULL with GYI_STREAM_READ_ONLY. */
    int64_t (*write)(gy_stream *);
    /* Begins to end the writing side, when all before it is written. @return 0 and else as `write`. NULL: always 0. */
    int64_t (*end)(gy_stream *);
    /* What is under way of `parts` (gy_stream_part) is not wanted any more and should end soon: it must still say that
     * it is done, as its buffers are in use until then. NULL: it ends when it ends. Not to call user code, and not to
     * say "done" from inside. */
    void (*cancel)(gy_stream *, unsigned parts);
    /* Closing, with nothing under way: gives back what the stream holds, its descriptor first of all. Not NULL. */
    void (*close)(gy_stream *);
    /* As `read`, but into another stream (net/direct.h); may be cancelled as a read may. NULL: cannot. */
    int64_t (*move)(gy_stream *, struct gyi_move *);
} gyi_stream_kind;

/* Opens a stream of that kind. `fd` is what gy_stream_fd() says, -1 for none; `close` of the kind is to close it.
 * `ways` is 0, GYI_STREAM_READ_ONLY or GYI_STREAM_WRITE_ONLY. @return 0 or -EALREADY. */
int gyi_stream_begin(gy_loop *loop, gy_stream *stream, const gyi_stream_kind *kind, int fd, unsigned ways);

/* The read that was under way is done: bytes, GY_EOF, or a negative error. Calls user code, so it must be the last
 * thing that the kind's callback does. A read that was cancelled meanwhile (GYI_STREAM_FAILED) reports that instead,
 * and what was read is not told: a kind that has a position leaves it where it was, which it must see to before. */
void gyi_kind_read_done(gy_stream *stream, int64_t result);

/* The write or end that was under way is done: bytes, 0 for an end, or a negative error. Calls no user code. */
void gyi_kind_write_done(gy_stream *stream, int64_t result);

/* ---- for stream.c ---- */

/* The turn of such a stream. At most one call into user code, and that last. */
void gyi_kind_run(gy_stream *stream);

/* Passes on to the kind that parts were cancelled. */
void gyi_kind_cancel(gy_stream *stream, unsigned parts);

#endif
