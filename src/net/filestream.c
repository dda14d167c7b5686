/* SPDX-License-Identifier: ISC */
/* Files as streams.
 *
 * A kind of stream (net/kind.h) that begins a job of the pool where others call the kernel. Each way has a job, a place
 * in the file, and an answer; a pool's thread touches only those three, the buffers, and the descriptor. A job that has
 * begun cannot be called off, and need not be: it ends by itself soon.
 *
 * A read into another stream (direct.c) is the same with other calls. Only one that finds all its bytes in memory, and
 * goes to a socket or a pipe, is made on the loop's thread: there it takes microseconds, which a thread's wake-up alone
 * would cost. While a thread has it, `to` is lent to the thread.
 *
 * Places are kept here, and are those of the calls (pread, pwrite): so a read whose answer nobody wanted any more has
 * moved nothing, and reading and writing do not disturb each other. */
#include "gyre/filestream.h"

#include "net/direct.h"
#include "net/kind.h"
#include "net/stream.h"
#include "sys/file.h"
#include "sys/move.h"

enum {
    FILESTREAM_COPY = 4 << 20,         /* bytes of one job from file to file */
    FILESTREAM_MOMENT = 10 * 1000 * 1000 /* ns for which what was in memory is taken to be still there */
};

static gy_file_stream *filestream_of(gy_stream *s) { return GY_OF(s, gy_file_stream, stream); }

static int64_t filestream_submit(gy_file_stream *f, gy_work *job, gy_work_run_fn *run, gy_work_done_fn *done) {
    gy_work_opts opts = {.run = run, .done = done, .lane = GY_LANE_IO, .pool = f->priv.pool};
    int err = gy_pool_submit(f->stream.loop, job, opts);
    return err ? err : -EINPROGRESS;
}

/* ---- reading ----------------------------------------------------------------------------------------------------- */

static void filestream_read_run(gy_work *job) {
    gy_file_stream *f = GY_OF(job, gy_file_stream, priv.reading);
    gyi_sys sys = {.count = {0}};
    f->priv.got = gyi_file_read(&sys, f->stream.priv.fd, &f->priv.into, 1, f->priv.read_at);
}

/* The stream tells nobody of what a cancelled read has brought, so it counts as not read. */
static void filestream_read_done(gy_work *job, int err) {
    gy_file_stream *f = GY_OF(job, gy_file_stream, priv.reading);
    int64_t n = err ? err : f->priv.got;
    if (n > 0 && !gyi_stream_is(&f->stream, GYI_STREAM_FAILED)) {
        if (f->priv.read_at >= 0) f->priv.read_at += n;
        f->priv.left -= n;
    }
    gyi_kind_read_done(&f->stream, n ? n : GY_EOF);
}

static int64_t filestream_read(gy_stream *s) {
    gy_file_stream *f = filestream_of(s);
    if (!f->priv.left) return GY_EOF;
    f->priv.into = s->priv.buf;
    if ((uint64_t)f->priv.left < f->priv.into.len) f->priv.into.len = (size_t)f->priv.left;
    return filestream_submit(f, &f->priv.reading, filestream_read_run, filestream_read_done);
}

/* ---- writing ----------------------------------------------------------------------------------------------------- */

/* Nothing taken of something would be tried for ever. */
static void filestream_write_run(gy_work *job) {
    gy_file_stream *f = GY_OF(job, gy_file_stream, priv.writing);
    gyi_sys sys = {.count = {0}};
    int64_t n = gyi_file_write(&sys, f->stream.priv.fd, f->priv.from, f->priv.count, f->priv.write_at);
    f->priv.put = n ? n : -EIO;
}

static void filestream_sync_run(gy_work *job) {
    gy_file_stream *f = GY_OF(job, gy_file_stream, priv.writing);
    gyi_sys sys = {.count = {0}};
    f->priv.put = gyi_file_datasync(&sys, f->stream.priv.fd);
}

/* A job that was called off says only that; the reason for it is the stream's. */
static void filestream_write_done(gy_work *job, int err) {
    gy_file_stream *f = GY_OF(job, gy_file_stream, priv.writing);
    int64_t n = err ? err : f->priv.put;
    if (n > 0 && f->priv.write_at >= 0) f->priv.write_at += n;
    if (n == GY_ECANCELED && gyi_stream_is(&f->stream, GYI_STREAM_BROKEN)) n = f->stream.priv.broken;
    gyi_kind_write_done(&f->stream, n);
}

static int64_t filestream_write(gy_stream *s) {
    gy_file_stream *f = filestream_of(s);
    f->priv.count = gyi_write_gather(s, f->priv.from, GY_FILE_GATHER);
    return filestream_submit(f, &f->priv.writing, filestream_write_run, filestream_write_done);
}

static int64_t filestream_end(gy_stream *s) {
    gy_file_stream *f = filestream_of(s);
    if (!f->priv.sync) return 0;
    return filestream_submit(f, &f->priv.writing, filestream_sync_run, filestream_write_done);
}

/* ---- reading into another stream --------------------------------------------------------------------------------- */

/* What was moved is moved, whether or not the read was cancelled meanwhile. */
static void filestream_advance(gy_file_stream *f, struct gyi_move *move, int64_t n) {
    if (n <= 0) return;
    if (f->priv.read_at >= 0) f->priv.read_at += n;
    f->priv.left -= n;
    move->moved += (uint64_t)n;
}

static void filestream_send_run(gy_work *job) {
    gy_file_stream *f = GY_OF(job, gy_file_stream, priv.reading);
    gyi_sys sys = {.count = {0}};
    int to = f->priv.move->to->priv.fd;
    f->priv.got = gyi_move_send(&sys, f->stream.priv.fd, f->priv.read_at, to, f->priv.into.len);
}

static void filestream_copy_run(gy_work *job) {
    gy_file_stream *f = GY_OF(job, gy_file_stream, priv.reading);
    const gy_file_stream *to = filestream_of(f->priv.move->to);
    gyi_sys sys = {.count = {0}};
    f->priv.got = gyi_move_copy(&sys, f->stream.priv.fd, f->priv.read_at, to->stream.priv.fd, to->priv.write_at,
                                f->priv.into.len);
}

static void filestream_moved(gy_work *job, int err) {
    gy_file_stream *f = GY_OF(job, gy_file_stream, priv.reading);
    int64_t n = err ? err : f->priv.got;
    gy_stream *to = f->priv.move->to;
    filestream_advance(f, f->priv.move, n);
    if (n > 0 && gyi_stream_is(to, GYI_STREAM_KIND) && filestream_of(to)->priv.write_at >= 0)
        filestream_of(to)->priv.write_at += n;
    bool full = n == -EAGAIN && !(gyi_move_ready(&to->loop->sys, f->stream.priv.fd, to->priv.fd) & GYI_MOVE_TO);
    gyi_stream_return(to, full ? GYI_ROOM_NONE : GYI_ROOM_LEFT);
    gyi_kind_read_done(&f->stream, gyi_direct_answer(n));
}

static int64_t filestream_move_away(gy_file_stream *f, gy_work_run_fn *run) {
    int64_t n = filestream_submit(f, &f->priv.reading, run, filestream_moved);
    if (n == -EINPROGRESS) gyi_stream_lend(f->priv.move->to);
    return n;
}

/* How many of the next bytes are in memory. What was there a moment ago is not asked for again. */
static size_t filestream_cached(gy_file_stream *f, size_t len) {
    gy_loop *loop = f->stream.loop;
    int64_t at = f->priv.read_at, known = f->priv.cached - at;
    if (at >= 0 && known > 0 && loop->now - f->priv.asked < FILESTREAM_MOMENT)
        return (uint64_t)known < len ? (size_t)known : len;
    len = gyi_move_cached(&loop->sys, f->stream.priv.fd, at, len);
    f->priv.cached = at + (int64_t)len;
    f->priv.asked = loop->now;
    return len;
}

/* On the loop's thread. */
static int64_t filestream_send(gy_file_stream *f, struct gyi_move *move, size_t len) {
    gyi_sys *sys = &f->stream.loop->sys;
    int64_t n = gyi_move_send(sys, f->stream.priv.fd, f->priv.read_at, move->to->priv.fd, len);
    if (n == -EAGAIN || (n > 0 && (uint64_t)n < len)) gyi_direct_ask(&f->stream, move->to);
    filestream_advance(f, move, n);
    return gyi_direct_answer(n);
}

static int64_t filestream_move(gy_stream *s, struct gyi_move *move) {
    gy_file_stream *f = filestream_of(s);
    if (!f->priv.left) return GY_EOF;
    if (!gyi_direct_takes(move->to)) return GYI_DIRECT_FULL;
    bool to_file = gyi_stream_is(move->to, GYI_STREAM_KIND);
    size_t len = to_file ? FILESTREAM_COPY : GYI_DIRECT_STEP;
    if ((uint64_t)f->priv.left < len) len = (size_t)f->priv.left;
    f->priv.move = move;
    f->priv.into = (gy_buf){NULL, len};
    if (to_file) return filestream_move_away(f, filestream_copy_run);
    len = filestream_cached(f, len);
    return len ? filestream_send(f, move, len) : filestream_move_away(f, filestream_send_run);
}

/* ---- the rest ---------------------------------------------------------------------------------------------------- */

/* What is at work already says so, and reports when it is done. */
static void filestream_cancel(gy_stream *s, unsigned parts) {
    gy_file_stream *f = filestream_of(s);
    if (parts & GY_STREAM_READ) gy_pool_cancel(&f->priv.reading);
    if (parts & GY_STREAM_WRITE) gy_pool_cancel(&f->priv.writing);
}

static void filestream_close(gy_stream *s) {
    if (!filestream_of(s)->priv.keep) gyi_file_close(&s->loop->sys, s->priv.fd);
}

static const gyi_stream_kind filestream_kind = {filestream_read, filestream_write, filestream_end, filestream_cancel,
                                                filestream_close, filestream_move};

int gy_file_stream_open(gy_loop *loop, gy_file_stream *f, gy_file_stream_opts opts) {
    static const unsigned ways[] = {
        [GY_FILE_BOTH] = 0, [GY_FILE_READ] = GYI_STREAM_READ_ONLY, [GY_FILE_WRITE] = GYI_STREAM_WRITE_ONLY};
    if (opts.fd < 0) return -EBADF;
    if ((unsigned)opts.ways > GY_FILE_WRITE || opts.at < GY_FILE_HERE || opts.limit < 0) return -EINVAL;
    int err = gyi_stream_begin(loop, &f->stream, &filestream_kind, opts.fd, ways[opts.ways]);
    if (err) return err;
    f->priv.read_at = f->priv.write_at = opts.at;
    f->priv.left = opts.limit ? opts.limit : INT64_MAX;
    f->priv.pool = opts.pool;
    f->priv.cached = 0; /* what is known is of another file */
    f->priv.keep = opts.keep;
    f->priv.sync = opts.sync;
    return 0;
}
