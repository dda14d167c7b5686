/* SPDX-License-Identifier: ISC */
/* Streams: their turn, reading, and closing. Writing and the ways to open have files of their own.
 *
 * A read of tcp that comes back shorter than its buffer has emptied the socket, so the stream is not readable any more
 * until the kernel says so again: that spares one call per message. The exceptions are a peer that has closed, whose
 * end would be missed that way, and urgent data, at which reads stop; the kernel tells of both along with the data. Of
 * terminals and local sockets nothing is taken for granted: they stop at line ends and at descriptors on their way. */
#include "net/stream.h"

#include "net/direct.h"
#include "net/kind.h"
#include "sys/fd.h"

static void stream_run(gyi_entry *entry);

bool gyi_stream_watches(const gyi_watch *watch) { return watch->entry.run == stream_run; }

static gy_stream *stream_of(gyi_entry *entry) { return GY_OF(entry, gy_stream, priv.watch.entry); }

void gyi_stream_interest(gy_stream *s) {
    unsigned state = s->priv.state, want = 0;
    if (!(state & GYI_STREAM_LEVEL) || !gyi_watch_active(&s->priv.watch)) return;
    if ((state & GYI_STREAM_READING) && !(state & GYI_STREAM_READABLE)) want |= GY_READABLE;
    if ((state & GYI_STREAM_LISTENING) && !(state & (GYI_STREAM_READABLE | GYI_STREAM_PAUSED))) want |= GY_READABLE;
    bool full = s->priv.first && !(state & (GYI_STREAM_WRITABLE | GYI_STREAM_WRITE_OUT));
    if (full || (state & GYI_STREAM_CONNECTING)) want |= GY_WRITABLE;
    if ((s->priv.watch.want & GYI_INTEREST) != want) gyi_watch_change(s->loop, &s->priv.watch, want);
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

/* What a read that brought nothing means. */
static GYI_APART int64_t stream_nothing(gy_stream *s, int64_t n) {
    if (n == 0) return GY_EOF;
    if (n == -EAGAIN) s->priv.state &= ~(unsigned)(GYI_STREAM_READABLE | GYI_STREAM_ENDED);
    return n;
}

static GYI_APART int64_t stream_recv_oddly(gyi_sys *sys, gy_stream *s, void *base, size_t len) {
    if (gyi_stream_is(s, GYI_STREAM_MOVING)) return ((struct gyi_move *)base)->recv(s, base);
    if (gyi_stream_is(s, GYI_STREAM_FDS)) return s->loop->fds->recv(s, (gy_buf){base, len});
    return gyi_fd_read(sys, s->priv.fd, base, len);
}

/* Reads once. @return bytes, GY_EOF, or a negative error, -EAGAIN when there is nothing. */
static inline int64_t stream_recv(gy_stream *s, gy_buf into) {
    gyi_sys *sys = &s->loop->sys;
    unsigned state = s->priv.state;
    int64_t n = GYI_UNLIKELY(state & GYI_STREAM_ODD) ? stream_recv_oddly(sys, s, into.base, into.len)
                                                     : gyi_sock_recv(sys, s->priv.fd, into.base, into.len);
    if (GYI_UNLIKELY(n <= 0)) return stream_nothing(s, n);
    if ((size_t)n < into.len && !(state & (GYI_STREAM_ENDED | GYI_STREAM_WARY)))
        s->priv.state = state & ~(unsigned)GYI_STREAM_READABLE;
    return n;
}

/* The answer to the pending read when it is not simply bytes. */
static GYI_APART void stream_answer_slowly(gy_stream *s, int64_t n) {
    if (n == -EAGAIN) {
        gyi_stream_interest(s);
        return;
    }
    s->priv.state &= ~(unsigned)GYI_STREAM_READING;
    gyi_stream_interest(s);
    s->priv.fn.read(s, n > 0 ? 0 : (int)n, (gy_buf){s->priv.buf.base, n > 0 ? (size_t)n : 0});
}

/* Answers the pending read, if there is an answer. */
static inline void stream_answer(gy_stream *s) {
    int64_t n = stream_recv(s, s->priv.buf);
    unsigned state = s->priv.state;
    if (GYI_UNLIKELY(n <= 0 || (state & GYI_STREAM_LEVEL))) {
        stream_answer_slowly(s, n);
        return;
    }
    s->priv.state = state & ~(unsigned)GYI_STREAM_READING;
    s->priv.fn.read(s, 0, (gy_buf){s->priv.buf.base, (size_t)n});
}

void gyi_stream_answer_failed(gy_stream *s) {
    bool connecting = gyi_stream_is(s, GYI_STREAM_CONNECTING);
    s->priv.state &= ~(unsigned)(GYI_STREAM_FAILED | GYI_STREAM_READING | GYI_STREAM_CONNECTING);
    if (connecting) gyi_write_fail(s, s->priv.err); /* nothing will ever be written */
    gyi_stream_interest(s);
    if (connecting) s->priv.fn.connect(s, s->priv.err);
    else s->priv.fn.read(s, s->priv.err, (gy_buf){s->priv.buf.base, 0});
}

static void stream_closed(gy_stream *s) {
    gy_close_fn *closed = s->priv.end.closed;
    s->priv.state = 0;
    s->loop->open--;
    if (closed) closed(s);
}

/* What somebody is still writing on closes when he returns it. */
static void stream_closes(gy_stream *s) {
    if (!gyi_stream_is(s, GYI_STREAM_WRITE_OUT)) gyi_queue_close(&s->loop->queue, &s->priv.watch.entry);
}

/* The rare half of a stream's turn: whatever is not readiness of a connected stream. */
static GYI_APART void stream_run_special(gy_stream *s, unsigned got) {
    if (gyi_stream_is(s, GYI_STREAM_KIND)) {
        gyi_kind_run(s);
    } else if (gyi_stream_is(s, GYI_STREAM_FAILED)) {
        if (gyi_stream_is(s, GYI_STREAM_CLOSING)) stream_closes(s);
        else if (s->priv.first && !gyi_stream_is(s, GYI_STREAM_CONNECTING)) gyi_write_flush(s); /* the edge is here */
        gyi_stream_answer_failed(s);
    } else if (gyi_stream_is(s, GYI_STREAM_CLOSING)) {
        stream_closed(s);
    } else if (gyi_stream_is(s, GYI_STREAM_REFUSED)) {
        /* The kernel would not watch it: what is pending, and what comes, hears of it. */
        if (!gyi_stream_is(s, GYI_STREAM_LISTENING)) {
            gyi_write_fail(s, s->priv.watch.fd);
            gy_stream_cancel(s, GY_STREAM_READ, s->priv.watch.fd);
        } else {
            s->priv.fn.connect(s, s->priv.watch.fd);
        }
    } else if (gyi_stream_is(s, GYI_STREAM_LISTENING)) {
        gyi_listen_ready(s);
    } else {
        gyi_connect_ready(s, got);
    }
}

static void stream_run(gyi_entry *entry) {
    gy_stream *s = stream_of(entry);
    unsigned got = s->priv.watch.got, state = s->priv.state |= got;
    if (GYI_UNLIKELY(state & (GYI_STREAM_SPECIAL | GYI_STREAM_QUEUED))) {
        if (state & GYI_STREAM_SPECIAL) {
            stream_run_special(s, got);
            return;
        }
        gyi_write_flush(s);
    }
    if ((state & (GYI_STREAM_READING | GYI_STREAM_READABLE)) == (GYI_STREAM_READING | GYI_STREAM_READABLE))
        stream_answer(s);
    else gyi_stream_interest(s);
}

/* Why a read is not taken; 0 when it is taken after all, and will be told of a refusal. */
static GYI_APART int stream_read_check(gy_stream *s) {
    if (!gyi_stream_usable(s)) return GY_ECLOSED;
    if (gyi_stream_is(s, GYI_STREAM_WRITE_ONLY)) return -EBADF;
    return gyi_stream_is(s, GYI_STREAM_READING | GYI_STREAM_CONNECTING) ? -EBUSY : 0;
}

int gy_stream_read(gy_stream *s, gy_buf into, gy_read_fn *fn) {
    unsigned state = s->priv.state;
    if (GYI_UNLIKELY(!fn || !into.len || !into.base)) return -EINVAL;
    if (GYI_UNLIKELY((state & (GYI_STREAM_OPEN | GYI_STREAM_BARS)) != GYI_STREAM_OPEN)) {
        int err = stream_read_check(s);
        if (err) return err;
    }
    s->priv.buf = into;
    s->priv.fn.read = fn;
    s->priv.state = state | GYI_STREAM_READING;
    if (GYI_LIKELY(!(state & (GYI_STREAM_READABLE | GYI_STREAM_LEVEL | GYI_STREAM_REFUSED)))) return 0;
    if (state & GYI_STREAM_REFUSED) gy_stream_cancel(s, GY_STREAM_READ, s->priv.watch.fd);
    else if (state & GYI_STREAM_READABLE) gyi_stream_push(s);
    else gyi_stream_interest(s);
    return 0;
}

int64_t gy_stream_try_read(gy_stream *s, gy_buf into) {
    if (!into.len || !into.base) return -EINVAL;
    int err = stream_read_check(s);
    if (err) return err;
    return gyi_stream_is(s, GYI_STREAM_KIND) ? -EAGAIN : stream_recv(s, into);
}

/* ---- opening and closing ----------------------------------------------------------------------------------------- */

static inline void stream_clear(gy_stream *s, int fd) {
    s->priv.fd = fd;
    s->priv.first = s->priv.last = NULL;
    s->priv.queued = 0;
    s->priv.err = s->priv.broken = 0; /* the latter is `waiting`, too */
}

int gyi_stream_adopt(gy_loop *loop, gy_stream *s, int fd, unsigned state) {
    if (s->priv.state) return -EALREADY;
    bool edge = loop->poller.caps & GYI_CAP_EDGE;
    s->priv.watch.entry.run = stream_run;
    int err = gyi_watch_start(loop, &s->priv.watch, fd, edge ? GY_READABLE | GY_WRITABLE | GY_EDGE : 0);
    if (err) return err;
    s->loop = loop;
    stream_clear(s, fd);
    /* Without word of urgent data, no short read can be trusted. */
    if (!(loop->poller.caps & GYI_CAP_PRIORITY)) state |= GYI_STREAM_WARY;
    s->priv.state = state | GYI_STREAM_OPEN | (edge ? 0 : GYI_STREAM_LEVEL);
    loop->open++;
    gyi_stream_interest(s);
    return 0;
}

int gyi_stream_begin(gy_loop *loop, gy_stream *s, const gyi_stream_kind *kind, int fd, unsigned ways) {
    if (s->priv.state) return -EALREADY;
    s->priv.watch.entry.run = stream_run;
    s->loop = loop;
    stream_clear(s, fd);
    s->priv.of.kind = kind;
    /* What it does about a request is decided in the stream's turn, which `readable` asks for. */
    s->priv.state = GYI_STREAM_OPEN | GYI_STREAM_KIND | GYI_STREAM_WARY | GYI_STREAM_READABLE | ways;
    if (!(s->priv.watch.want & GYI_WATCH_UNREF)) gyi_loop_ref(loop);
    loop->open++;
    return 0;
}

void gy_stream_cancel(gy_stream *s, unsigned parts, int err) {
    if (!(s->priv.state & GYI_STREAM_OPEN) || gyi_stream_is(s, GYI_STREAM_LISTENING)) return;
    if ((parts & GY_STREAM_READ) && gyi_stream_is(s, GYI_STREAM_READING | GYI_STREAM_CONNECTING) &&
        !gyi_stream_is(s, GYI_STREAM_FAILED)) {
        s->priv.err = err;
        s->priv.state |= GYI_STREAM_FAILED;
        gyi_stream_push(s);
    }
    /* What a kind is writing just now fails when it is done with it. */
    if ((parts & GY_STREAM_WRITE) && s->priv.first) {
        if (gyi_stream_is(s, GYI_STREAM_KIND) && gyi_stream_is(s, GYI_STREAM_WRITE_OUT)) gyi_write_break(s, err);
        else gyi_write_fail(s, err);
    }
    if (gyi_stream_is(s, GYI_STREAM_KIND)) gyi_kind_cancel(s, parts);
}

/* Gives back what the stream has beside its descriptor. */
static GYI_APART void stream_unload(gy_stream *s) {
    if (gyi_stream_is(s, GYI_STREAM_LISTENING)) gyi_listen_close(s);
    if (gyi_stream_is(s, GYI_STREAM_FDS)) s->loop->fds->close(s);
    if (gyi_stream_is(s, GYI_STREAM_RESTORE)) gyi_open_restore(s);
    s->priv.state &= ~(unsigned)(GYI_STREAM_FDS | GYI_STREAM_RESTORE);
}

void gyi_stream_drop(gy_stream *s) {
    if (gyi_stream_is(s, GYI_STREAM_WRITE_OUT)) {
        gyi_watch_forget(s->loop, &s->priv.watch);
        return;
    }
    if (gyi_stream_is(s, GYI_STREAM_HOLDS)) stream_unload(s);
    gyi_watch_forget(s->loop, &s->priv.watch);
    gyi_fd_close(&s->loop->sys, s->priv.fd);
    s->priv.fd = -1;
}

void gy_stream_close(gy_stream *s, gy_close_fn *fn) {
    if ((s->priv.state & (GYI_STREAM_OPEN | GYI_STREAM_CLOSING)) != GYI_STREAM_OPEN) return;
    bool kind = gyi_stream_is(s, GYI_STREAM_KIND);
    s->priv.end.closed = fn;
    if (!kind) gyi_stream_drop(s);
    gy_stream_cancel(s, GY_STREAM_READ | GY_STREAM_WRITE, GY_ECANCELED);
    s->priv.state |= GYI_STREAM_CLOSING;
    /* A failed read still has the entry; it hands it on (stream_run_special). */
    if (kind || gyi_stream_is(s, GYI_STREAM_FAILED)) gyi_stream_push(s);
    else stream_closes(s);
}

/* Room that comes while the thread is at work is told of, as edges are told once, and after it has found none. */
void gyi_stream_lend(gy_stream *s) {
    s->priv.state = (s->priv.state | GYI_STREAM_WRITE_OUT) & ~(unsigned)GYI_STREAM_WRITABLE;
}

void gyi_stream_return(gy_stream *s, gyi_room room) {
    s->priv.state &= ~(unsigned)GYI_STREAM_WRITE_OUT;
    if (gyi_stream_is(s, GYI_STREAM_KIND)) {
        gyi_stream_push(s);
        return;
    }
    if (room == GYI_ROOM_LEFT) s->priv.state |= GYI_STREAM_WRITABLE;
    if (gyi_stream_is(s, GYI_STREAM_CLOSING)) {
        gyi_stream_drop(s);
        if (!gyi_stream_is(s, GYI_STREAM_FAILED)) stream_closes(s);
    } else if (s->priv.first) {
        gyi_write_wake(s);
    }
}

int gy_stream_reset(gy_stream *s, gy_close_fn *fn) {
    if (!gy_stream_is_open(s)) return GY_ECLOSED;
    if (gyi_stream_is(s, GYI_STREAM_LISTENING | GYI_STREAM_FILE | GYI_STREAM_LOCAL | GYI_STREAM_KIND)) return -ENOTSUP;
    int type, err = gyi_sock_get(&s->loop->sys, s->priv.fd, SOL_SOCKET, SO_TYPE, &type);
    if (!err && type != SOCK_STREAM) return -ENOTSUP; /* the kernel would take the wish, and mean nothing by it */
    if (!err) err = gyi_sock_reset(&s->loop->sys, s->priv.fd);
    if (!err) gy_stream_close(s, fn);
    return err;
}

bool gy_stream_is_open(const gy_stream *s) {
    return (s->priv.state & (GYI_STREAM_OPEN | GYI_STREAM_CLOSING)) == GYI_STREAM_OPEN;
}

int gy_stream_fd(const gy_stream *s) { return gy_stream_is_open(s) ? s->priv.fd : -1; }

/* What has no descriptor to watch counts as watched all the same, while it is open. */
static void stream_count(gy_stream *s, bool wanted) {
    gyi_watch *w = &s->priv.watch;
    bool counted = !(w->want & GYI_WATCH_UNREF);
    if (counted == wanted) return;
    w->want ^= GYI_WATCH_UNREF;
    if (wanted) gyi_loop_ref(s->loop);
    else gyi_loop_unref(s->loop);
}

void gy_stream_ref(gy_stream *s) {
    if (gyi_stream_is(s, GYI_STREAM_KIND)) stream_count(s, true);
    else if (s->loop) gyi_watch_ref(s->loop, &s->priv.watch);
}

void gy_stream_unref(gy_stream *s) {
    if (gyi_stream_is(s, GYI_STREAM_KIND)) stream_count(s, false);
    else if (s->loop) gyi_watch_unref(s->loop, &s->priv.watch);
}
