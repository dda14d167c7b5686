/* SPDX-License-Identifier: ISC */
/* Reading into another stream: bytes go from one descriptor to the other inside the kernel (direct.c). */
#ifndef GYI_NET_DIRECT_H
#define GYI_NET_DIRECT_H

#include <limits.h>

#include "gyre/pipeline.h"

/* What such a read may answer beside bytes, GY_EOF and errors. No error has these numbers. */
enum {
    GYI_DIRECT_FULL = INT_MIN,    /* nothing was moved: wait with gyi_direct_room(), then read again */
    GYI_DIRECT_NOT  = INT_MIN + 1 /* nothing was moved, and never will be: read and write instead */
};

/* At most so many bytes with one step on the loop's thread, after which others have their turn. */
enum { GYI_DIRECT_STEP = 1 << 20 };

/* Whether it may be tried at all. */
bool gyi_direct_possible(const gy_stream *from, const gy_stream *to);

/* Begins to read from `from` into `move->to`. `fn` is told as by any read, and calls gyi_direct_done() first; the bytes
 * are counted in `move->moved` too, also those of a read that was cancelled. @return as gy_stream_read(). */
int gyi_direct_read(gy_stream *from, struct gyi_move *move, gy_read_fn *fn);
void gyi_direct_done(gy_stream *from);

/* A write of nothing: `fn` is told when what was queued before it is written, and there is room. @return as
 * gy_stream_write(). */
int gyi_direct_room(gy_stream *to, gy_write *write, gy_write_fn *fn);

/* For kinds: whether `to` takes bytes now, that is, has none queued and has not said that it is full. */
bool gyi_direct_takes(const gy_stream *to);

/* After a call that could not move all that it was to: takes note when `to` is full. @return as
 * gyi_move_ready(). */
int gyi_direct_ask(const gy_stream *from, gy_stream *to);

/* What a call's answer `n` means to a read of this sort: bytes, GY_EOF, GYI_DIRECT_, or the error. */
int64_t gyi_direct_answer(int64_t n);

#endif
