/* SPDX-License-Identifier: ISC */
/* From stream to stream inside the kernel.
 *
 * It is a read whose bytes go not into memory but into another stream: `from` has a pending read like any other, which
 * waits, is cancelled, and reports like any other, and only the call that it makes is another one. Its buffer is the
 * struct gyi_move that names the destination (GYI_STREAM_MOVING). A socket or a pipe splices when it is readable; a
 * file leaves it to its kind (filestream.c), which knows about threads.
 *
 * `to` has no write under way meanwhile. When it has no room, or writes of somebody else, the read says so instead of
 * waiting, because its own stream knows nothing of the other's readiness; then a write of nothing (GYI_WRITE_ROOM) is
 * queued, which is done when its turn has come and there is room. So bytes keep their order whoever writes.
 *
 * A call that finds nothing to do does not say which of the two has made it wait. With edges, to guess wrong is to wait
 * for ever, so the kernel is asked. */
#include "net/direct.h"

#include "net/kind.h"
#include "net/stream.h"
#include "sys/move.h"

bool gyi_direct_takes(const gy_stream *s) {
    enum {
        BARS = GYI_STREAM_CLOSING | GYI_STREAM_WRITE_OUT | GYI_STREAM_BROKEN | GYI_STREAM_CONNECTING | GYI_STREAM_SHUT
    };
    unsigned asked = gyi_stream_is(s, GYI_STREAM_KIND) ? GYI_STREAM_OPEN : GYI_STREAM_OPEN | GYI_STREAM_WRITABLE;
    return !s->priv.first && (s->priv.state & (asked | BARS)) == asked;
}

int64_t gyi_direct_answer(int64_t n) {
    if (n == -EAGAIN) return GYI_DIRECT_FULL;
    if (n == -ENOTSUP) return GYI_DIRECT_NOT;
    return n ? n : GY_EOF;
}

int gyi_direct_ask(const gy_stream *from, gy_stream *to) {
    int ready = gyi_move_ready(&from->loop->sys, from->priv.fd, to->priv.fd);
    if (ready >= 0 && !(ready & GYI_MOVE_TO)) to->priv.state &= ~(unsigned)GYI_STREAM_WRITABLE;
    return ready;
}

/* ---- sockets and pipes ------------------------------------------------------------------------------------------- */

/* What it was that had to wait. @return as direct_recv(). */
static int64_t direct_waits(gy_stream *from, gy_stream *to) {
    int ready = gyi_direct_ask(from, to);
    if (ready < 0) return ready;
    return ready & GYI_MOVE_FROM ? GYI_DIRECT_FULL : -EAGAIN; /* if both are ready by now, there is room at once */
}

/* In place of recv(): 0 is the end, -EAGAIN that the source has nothing. */
static int64_t direct_recv(gy_stream *from, struct gyi_move *move) {
    if (!gyi_direct_takes(move->to)) return GYI_DIRECT_FULL;
    int64_t n = gyi_move_splice(&from->loop->sys, from->priv.fd, move->to->priv.fd, GYI_DIRECT_STEP);
    if (n == -EAGAIN) return direct_waits(from, move->to);
    if (n > 0) move->moved += (uint64_t)n;
    return n == -ENOTSUP ? GYI_DIRECT_NOT : n;
}

/* ---- the read ---------------------------------------------------------------------------------------------------- */

bool gyi_direct_possible(const gy_stream *from, const gy_stream *to) {
    /* A descriptor in blocking mode would make these calls wait. */
    if (from == to || gyi_stream_is(from, GYI_STREAM_BLOCKING) || gyi_stream_is(to, GYI_STREAM_BLOCKING)) return false;
    bool to_kind = gyi_stream_is(to, GYI_STREAM_KIND);
    if (gyi_stream_is(from, GYI_STREAM_KIND)) {
        const gyi_stream_kind *kind = from->priv.of.kind;
        return kind->move && (!to_kind || to->priv.of.kind == kind);
    }
    bool pipe = gyi_stream_is(from, GYI_STREAM_FILE) || gyi_stream_is(to, GYI_STREAM_FILE);
    return !to_kind && pipe && !gyi_stream_is(from, GYI_STREAM_FDS);
}

int gyi_direct_read(gy_stream *from, struct gyi_move *move, gy_read_fn *fn) {
    move->recv = direct_recv;
    int err = gy_stream_read(from, (gy_buf){move, 1}, fn); /* what reads make of short answers is about longer ones */
    if (!err) from->priv.state |= GYI_STREAM_MOVING;
    return err;
}

void gyi_direct_done(gy_stream *from) { from->priv.state &= ~(unsigned)GYI_STREAM_MOVING; }

/* ---- room -------------------------------------------------------------------------------------------------------- */

int gyi_direct_room(gy_stream *to, gy_write *w, gy_write_fn *fn) {
    if (gyi_stream_is(to, GYI_STREAM_KIND)) return gy_stream_write(to, w, (gy_buf){NULL, 0}, fn);
    int err = gyi_write_check(to, w, fn);
    if (err) return err;
    w->priv.count = GYI_WRITE_ROOM;
    w->priv.own = (gy_buf){NULL, 0};
    return gyi_write_add(to, w, 0, fn);
}
