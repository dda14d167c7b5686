/* SPDX-License-Identifier: ISC */
/* The turn of a stream whose reads and writes are somebody else's.
 *
 * A request makes the stream run, and running begins what can be begun. What is under way is never reported before it
 * is done, as its buffers are in use, perhaps by another thread: cancelling and closing mark the request as failed
 * (`err`, `broken`), and the mark is told when the kind says that it is done. A closing stream gives its descriptor
 * back when nothing is under way any more; from then on it is an ordinary stream that closes. */
#include "net/kind.h"

#include "net/stream.h"

static void kind_set(gy_stream *s, unsigned state) { s->priv.state |= state; }
static void kind_clear(gy_stream *s, unsigned state) { s->priv.state &= ~state; }

/* ---- writing ----------------------------------------------------------------------------------------------------- */

/* What the outcome means for the writes in the queue. They are told by entries of their own. */
static void kind_wrote(gy_stream *s, int64_t n) {
    if (n < 0) gyi_write_fail(s, (int)n);
    else if (s->priv.first->priv.count == GYI_WRITE_SHUTDOWN) gyi_write_ended(s, 0);
    else gyi_write_consume(s, (size_t)n);
}

static int64_t kind_begin_write(gy_stream *s) {
    const gyi_stream_kind *kind = s->priv.of.kind;
    if (s->priv.first->priv.count != GYI_WRITE_SHUTDOWN) return kind->write(s);
    return kind->end ? kind->end(s) : 0;
}

/* Begins what is next in the queue, until something is under way. */
static void kind_write(gy_stream *s) {
    while (!gyi_stream_is(s, GYI_STREAM_WRITE_OUT)) {
        gyi_write_consume(s, 0); /* those of nothing */
        if (!s->priv.first) return;
        if (gyi_stream_is(s, GYI_STREAM_BROKEN)) {
            gyi_write_fail(s, s->priv.broken);
            return;
        }
        int64_t n = kind_begin_write(s);
        if (n == -EINPROGRESS) kind_set(s, GYI_STREAM_WRITE_OUT);
        else kind_wrote(s, n);
    }
}

void gyi_kind_write_done(gy_stream *s, int64_t n) {
    kind_clear(s, GYI_STREAM_WRITE_OUT);
    kind_wrote(s, n);
    gyi_stream_push(s); /* for the next one, or to close */
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

static void kind_answer(gy_stream *s, int64_t n) {
    kind_clear(s, GYI_STREAM_READING);
    s->priv.fn.read(s, n > 0 ? 0 : (int)n, (gy_buf){s->priv.buf.base, n > 0 ? (size_t)n : 0});
}

void gyi_kind_read_done(gy_stream *s, int64_t n) {
    kind_clear(s, GYI_STREAM_READ_OUT);
    if (gyi_stream_is(s, GYI_STREAM_FAILED)) gyi_stream_push(s);
    else kind_answer(s, n);
}

static void kind_read(gy_stream *s) {
    if (gyi_stream_is(s, GYI_STREAM_FAILED)) {
        if (gyi_stream_is(s, GYI_STREAM_CLOSING)) gyi_stream_push(s); /* there is more to do */
        gyi_stream_answer_failed(s);
        return;
    }
    int64_t n = gyi_stream_is(s, GYI_STREAM_MOVING) ? s->priv.of.kind->move(s, s->priv.buf.base)
                                                    : s->priv.of.kind->read(s);
    if (n == -EINPROGRESS) kind_set(s, GYI_STREAM_READ_OUT);
    else kind_answer(s, n);
}

/* ---- the turn ---------------------------------------------------------------------------------------------------- */

static void kind_close(gy_stream *s) {
    s->priv.of.kind->close(s);
    s->priv.fd = -1;
    kind_clear(s, GYI_STREAM_KIND);
    if (!(s->priv.watch.want & GYI_WATCH_UNREF)) gyi_loop_unref(s->loop);
    gyi_queue_close(&s->loop->queue, &s->priv.watch.entry);
}

void gyi_kind_run(gy_stream *s) {
    unsigned state = s->priv.state;
    if (s->priv.first) kind_write(s);
    if ((state & (GYI_STREAM_READING | GYI_STREAM_READ_OUT)) == GYI_STREAM_READING) kind_read(s);
    else if ((state & GYI_STREAM_CLOSING) && !gyi_stream_is(s, GYI_STREAM_READ_OUT | GYI_STREAM_WRITE_OUT))
        kind_close(s);
}

void gyi_kind_cancel(gy_stream *s, unsigned parts) {
    unsigned out = gyi_stream_is(s, GYI_STREAM_READ_OUT) ? GY_STREAM_READ : 0;
    if (gyi_stream_is(s, GYI_STREAM_WRITE_OUT)) out |= GY_STREAM_WRITE;
    if ((parts & out) && s->priv.of.kind->cancel) s->priv.of.kind->cancel(s, parts & out);
}
