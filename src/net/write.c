/* SPDX-License-Identifier: ISC */
/* Writing to streams.
 *
 * A write is tried at once, when nothing is queued before it. What does not go is queued, in the caller's own record,
 * and goes when the kernel has room, many writes gathered into one call. A second write in the same turn, before the
 * first one has reported, is not tried but queued until this turn's callbacks are through, so that a thousand small
 * writes become a few large ones.
 *
 * A write that is done, however it ended, becomes an entry on the callback queue. The first error stays: everything
 * written later reports it too. */
#include "net/stream.h"

#include <string.h>

#include "sys/fd.h"

enum { WRITE_GATHER = 128 }; /* buffers per call; every system takes more */

static void write_run(gyi_entry *entry) {
    gy_write *w = GY_OF(entry, gy_write, priv.entry);
    w->stream->priv.state &= ~(unsigned)GYI_STREAM_WROTE;
    w->priv.fn(w, w->priv.err);
}

static inline void write_done(gy_write *w, int err) {
    w->priv.err = err;
    w->priv.entry.next = NULL;
    w->priv.entry.run = write_run;
    gyi_queue_again(&w->stream->loop->queue, &w->priv.entry);
}

/* With fast open (connect.c), sending may be what begins to connect. */
static ssize_t write_send(gy_stream *s, const gy_buf *from, unsigned count) {
    gyi_sys *sys = &s->loop->sys;
    ssize_t n;
    if (gyi_stream_is(s, GYI_STREAM_FILE)) n = gyi_fd_writev(sys, s->priv.fd, from, count);
    else if (count == 1) n = gyi_sock_send(sys, s->priv.fd, from->base, from->len);
    else n = gyi_sock_sendv(sys, s->priv.fd, from, count);
    return n == -EINPROGRESS ? -EAGAIN : n;
}

/* ---- the queue of a stream --------------------------------------------------------------------------------------- */

static bool write_is_marked(const gy_write *w) { return w->priv.count >= GYI_WRITE_MARKS; }

/* While it is on the stream's queue, a write's entry is a ring of its own, so that it counts as taken. */
static void write_append(gy_stream *s, gy_write *w) {
    w->priv.next = NULL;
    w->priv.entry.next = w->priv.entry.prev = &w->priv.entry;
    if (s->priv.last) s->priv.last->priv.next = w;
    else s->priv.first = w;
    s->priv.last = w;
    s->priv.state |= GYI_STREAM_QUEUED;
}

static gy_write *write_take(gy_stream *s) {
    gy_write *w = s->priv.first;
    s->priv.first = w->priv.next;
    if (!s->priv.first) {
        s->priv.last = NULL;
        s->priv.state &= ~(unsigned)GYI_STREAM_QUEUED;
    }
    return w;
}

bool gyi_write_withdraw(gy_stream *s, gy_write *w) {
    gy_write *before = NULL, *at = s->priv.first;
    while (at && at != w) {
        before = at;
        at = at->priv.next;
    }
    if (!at) return false;
    if (!before) {
        write_take(s);
    } else {
        before->priv.next = w->priv.next;
        if (s->priv.last == w) s->priv.last = before;
    }
    w->priv.entry.next = NULL;
    return true;
}

/* Takes `n` bytes off the front of a write. @return what is left of `n` when the write is used up. */
static size_t write_advance(gy_write *w, size_t n) {
    while (n >= w->priv.own.len) {
        n -= w->priv.own.len;
        w->priv.own.len = 0;
        if (w->priv.count <= 1) {
            w->priv.count = 0;
            return n;
        }
        w->priv.own = *++w->priv.bufs;
        w->priv.count--;
    }
    w->priv.own.base = (char *)w->priv.own.base + n;
    w->priv.own.len -= n;
    return 0;
}

static inline unsigned write_gather(const gy_stream *s, gy_buf *out, unsigned cap) {
    unsigned n = 0;
    for (const gy_write *w = s->priv.first; w && !write_is_marked(w); w = w->priv.next)
        for (unsigned i = 0; i < w->priv.count; i++) {
            if (n == cap) return n;
            out[n++] = i ? w->priv.bufs[i] : w->priv.own;
        }
    return n;
}

unsigned gyi_write_gather(const gy_stream *s, gy_buf *out, unsigned cap) { return write_gather(s, out, cap); }

static void write_consume(gy_stream *s, size_t n) {
    s->priv.queued -= n;
    while (s->priv.first && !write_is_marked(s->priv.first)) {
        n = write_advance(s->priv.first, n);
        if (s->priv.first->priv.count) return;
        write_done(write_take(s), 0);
    }
}

void gyi_write_consume(gy_stream *s, size_t n) { write_consume(s, n); }

void gyi_write_ended(gy_stream *s, int err) { write_done(write_take(s), err); }

/* The first error stays. */
void gyi_write_break(gy_stream *s, int err) {
    if (gyi_stream_is(s, GYI_STREAM_BROKEN)) return;
    s->priv.broken = err;
    s->priv.state |= GYI_STREAM_BROKEN;
}

void gyi_write_fail(gy_stream *s, int err) {
    gyi_write_break(s, err);
    s->priv.queued = 0;
    while (s->priv.first) write_done(write_take(s), err);
}

/* What has no other direction ends by being closed. */
static int write_end(gy_stream *s) {
    if (!gyi_stream_is(s, GYI_STREAM_WRITE_ONLY)) return gyi_sock_shutdown_write(&s->loop->sys, s->priv.fd);
    gyi_stream_drop(s);
    return 0;
}

static void write_shutdown(gy_stream *s) { gyi_write_ended(s, write_end(s)); }

/* The first write in the queue is one with a mark. */
static GYI_APART void write_marked(gy_stream *s) {
    if (s->priv.first->priv.count == GYI_WRITE_SHUTDOWN) {
        write_shutdown(s);
        return;
    }
    if (s->priv.first->priv.count == GYI_WRITE_ROOM) {
        gyi_write_ended(s, 0);
        return;
    }
    ssize_t n = s->loop->fds->send(s);
    if (n == -EAGAIN) s->priv.state &= ~(unsigned)GYI_STREAM_WRITABLE;
    else if (n < 0) gyi_write_fail(s, (int)n);
    else write_consume(s, (size_t)n);
}

void gyi_write_flush(gy_stream *s) {
    gy_buf gathered[WRITE_GATHER];
    enum { WRITABLE = GYI_STREAM_WRITABLE, OUT = GYI_STREAM_WRITE_OUT };
    while (s->priv.first && (s->priv.state & (WRITABLE | OUT)) == WRITABLE) {
        unsigned count = write_gather(s, gathered, WRITE_GATHER);
        if (!count) {
            write_consume(s, 0);
            if (s->priv.first) write_marked(s);
            continue;
        }
        ssize_t n = write_send(s, gathered, count);
        if (n == -EAGAIN) {
            s->priv.state &= ~(unsigned)GYI_STREAM_WRITABLE;
        } else if (n < 0) {
            gyi_write_fail(s, (int)n);
        } else {
            write_consume(s, (size_t)n);
        }
    }
    gyi_stream_interest(s);
}

/* ---- requests ---------------------------------------------------------------------------------------------------- */

int gyi_write_check(const gy_stream *s, const gy_write *w, gy_write_fn *fn) {
    if (GYI_UNLIKELY(!fn)) return -EINVAL;
    if (GYI_UNLIKELY(!gyi_stream_usable(s) || gyi_stream_is(s, GYI_STREAM_SHUT))) return GY_ECLOSED;
    if (GYI_UNLIKELY(gyi_stream_is(s, GYI_STREAM_READ_ONLY))) return -EBADF;
    if (GYI_UNLIKELY(gyi_entry_listed(&w->priv.entry))) return -EALREADY;
    return 0;
}

/* A write to an empty queue is taken whatever its size, so more than the limit may be queued already. */
static bool write_exceeds(const gy_stream *s, size_t len) {
    size_t limit = s->priv.limit, queued = s->priv.queued;
    return limit && s->priv.first && (queued > limit || len > limit - queued);
}

/* Whether what the kernel answered to a write of `len` bytes ends it; reports it then. Otherwise it is to be queued,
 * and what has been sent is taken off. */
static bool write_ended(gy_stream *s, gy_write *w, ssize_t n, size_t len) {
    if (n == (ssize_t)len) {
        s->priv.state |= GYI_STREAM_WROTE;
        write_done(w, 0);
        return true;
    }
    if (n < 0 && n != -EAGAIN && n != -EINPROGRESS) {
        gyi_write_break(s, (int)n);
        write_done(w, (int)n);
        return true;
    }
    s->priv.state &= ~(unsigned)GYI_STREAM_WRITABLE;
    if (n > 0) write_advance(w, (size_t)n);
    return false;
}

void gyi_write_wake(gy_stream *s) {
    if (gyi_stream_is(s, GYI_STREAM_CONNECTING)) return;
    if (gyi_stream_is(s, GYI_STREAM_WRITABLE | GYI_STREAM_KIND)) gyi_stream_push(s);
    else gyi_stream_interest(s);
}

/* Puts a write of which `len` bytes are left on the queue of its stream. */
static void write_queue(gy_stream *s, gy_write *w, size_t len) {
    s->priv.queued += len;
    write_append(s, w);
    gyi_write_wake(s);
}

/* After a failure nothing is queued, except where somebody is still at work on what was (kind.c): it comes first. */
static bool write_is_broken(const gy_stream *s) { return gyi_stream_is(s, GYI_STREAM_BROKEN) && !s->priv.first; }

/* What every write meets before it is tried or queued. @return 1 when it may be; otherwise the answer. */
static int write_enter(gy_stream *s, gy_write *w, size_t len, gy_write_fn *fn) {
    if (write_exceeds(s, len)) return GY_EBACKLOG;
    w->stream = s;
    w->priv.fn = fn;
    if (!write_is_broken(s)) return 1;
    write_done(w, s->priv.broken);
    return 0;
}

int gyi_write_add(gy_stream *s, gy_write *w, size_t len, gy_write_fn *fn) {
    int answer = write_enter(s, w, len, fn);
    if (answer != 1) return answer;
    write_queue(s, w, len);
    return 0;
}

/* Takes a write whose buffers are set: tries it at once if nothing is before it, and queues what is left. */
static GYI_APART int write_submit(gy_stream *s, gy_write *w, size_t len, gy_write_fn *fn) {
    int answer = write_enter(s, w, len, fn);
    if (answer != 1) return answer;
    unsigned now = s->priv.state &
                   (GYI_STREAM_WRITABLE | GYI_STREAM_WROTE | GYI_STREAM_QUEUED | GYI_STREAM_WRITE_OUT);
    if (now == GYI_STREAM_WRITABLE && w->priv.count <= WRITE_GATHER) {
        ssize_t n = len == 0 ? 0 : write_send(s, w->priv.count == 1 ? &w->priv.own : w->priv.bufs, w->priv.count);
        if (write_ended(s, w, n, len)) return 0;
        len -= n > 0 ? (size_t)n : 0;
    }
    write_queue(s, w, len);
    return 0;
}

static void write_set(gy_write *w, gy_buf own, const gy_buf *bufs, unsigned count) {
    w->priv.own = own;
    w->priv.bufs = bufs;
    w->priv.count = count;
}

/* A write that is not simply sent. */
static GYI_APART int write_slowly(gy_stream *s, gy_write *w, gy_buf from, gy_write_fn *fn) {
    int err = gyi_write_check(s, w, fn);
    if (err) return err;
    if (from.len && !from.base) return -EINVAL;
    write_set(w, from, NULL, 1);
    return write_submit(s, w, from.len, fn);
}

/* What is left to do when not all of a write was sent. */
static GYI_APART int write_unsent(gy_stream *s, gy_write *w, ssize_t n) {
    size_t len = w->priv.own.len;
    if (!write_ended(s, w, n, len)) write_queue(s, w, len - (n > 0 ? (size_t)n : 0));
    return 0;
}

/* The straight line is for a write on an open socket that nothing hinders, and that goes at once. All is put into the
 * record first, so that little has to be kept in registers over the call. */
int gy_stream_write(gy_stream *s, gy_write *w, gy_buf from, gy_write_fn *fn) {
    enum { READY = GYI_STREAM_OPEN | GYI_STREAM_WRITABLE };
    if (GYI_UNLIKELY(!fn || !from.base || !from.len || gyi_entry_listed(&w->priv.entry) ||
                     (s->priv.state & (READY | GYI_STREAM_HINDERS)) != READY))
        return write_slowly(s, w, from, fn);
    w->stream = s;
    w->priv.fn = fn;
    write_set(w, from, NULL, 1);
    ssize_t n = gyi_sock_send(&s->loop->sys, s->priv.fd, from.base, from.len);
    if (GYI_UNLIKELY(n != (ssize_t)w->priv.own.len)) return write_unsent(s, w, n);
    s->priv.state |= GYI_STREAM_WROTE;
    write_done(w, 0);
    return 0;
}

int gy_stream_writev(gy_stream *s, gy_write *w, const gy_buf *from, unsigned count, gy_write_fn *fn) {
    int err = gyi_write_check(s, w, fn);
    if (err) return err;
    if (!from || !count || count >= GYI_WRITE_MARKS) return -EINVAL;
    size_t len = 0;
    for (unsigned i = 0; i < count; i++) {
        if ((from[i].len && !from[i].base) || from[i].len > SIZE_MAX / 2 - len) return -EINVAL;
        len += from[i].len;
    }
    write_set(w, from[0], from, count);
    return write_submit(s, w, len, fn);
}

int gy_stream_shutdown(gy_stream *s, gy_write *w, gy_write_fn *fn) {
    int err = gyi_write_check(s, w, fn);
    if (err) return err;
    s->priv.state |= GYI_STREAM_SHUT;
    w->stream = s;
    w->priv.fn = fn;
    w->priv.count = GYI_WRITE_SHUTDOWN;
    if (write_is_broken(s)) {
        write_done(w, s->priv.broken);
        return 0;
    }
    write_append(s, w);
    if (gyi_stream_is(s, GYI_STREAM_KIND)) gyi_stream_push(s);
    else if (!gyi_stream_is(s, GYI_STREAM_CONNECTING | GYI_STREAM_WRITE_OUT) && s->priv.first == w) write_shutdown(s);
    return 0;
}

int64_t gy_stream_try_write(gy_stream *s, gy_buf from) {
    if (from.len && !from.base) return -EINVAL;
    if (!gyi_stream_usable(s) || gyi_stream_is(s, GYI_STREAM_SHUT)) return GY_ECLOSED;
    if (gyi_stream_is(s, GYI_STREAM_READ_ONLY)) return -EBADF;
    if (gyi_stream_is(s, GYI_STREAM_BROKEN)) return s->priv.broken;
    if (s->priv.first || gyi_stream_is(s, GYI_STREAM_CONNECTING | GYI_STREAM_KIND | GYI_STREAM_WRITE_OUT))
        return -EAGAIN;
    if (!from.len) return 0;
    ssize_t n = write_send(s, &from, 1);
    if (n < 0 && n != -EAGAIN) gyi_write_break(s, (int)n);
    return n;
}

size_t gy_stream_queued(const gy_stream *s) { return s->priv.queued; }

void gy_stream_set_limit(gy_stream *s, size_t bytes) { s->priv.limit = bytes; }
