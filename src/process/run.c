/* SPDX-License-Identifier: ISC */
/* gy_run: a program from start to end, with its input and its output, told of once.
 *
 * Four things have to be over before that: the process, and each of up to three streams. They are counted in `left`,
 * and whoever is last tells. Built on the public interface alone, so it is an example as well.
 *
 * A program that was killed may have left others behind that hold its output open. Nobody has asked for what those
 * write, so when the run was ended by force the streams are closed without waiting for their end; after a time limit,
 * with what is there by then, since the program was asked to end and may have said something to that. The time limit
 * is one for the whole run: a program may end in time and leave somebody behind who holds its output open for ever. */
#include <errno.h>
#include <signal.h>

#include "gyre/process.h"

static void run_over(gy_run *r) {
    if (--r->priv.left) return;
    gy_timer_stop(&r->priv.limit);
    r->priv.fn(r, r->priv.err);
}

static void run_in_closed(gy_stream *s) { run_over(GY_OF(s, gy_run, priv.in)); }
static void run_out_closed(gy_stream *s) { run_over(GY_OF(s, gy_run, priv.out)); }
static void run_errors_closed(gy_stream *s) { run_over(GY_OF(s, gy_run, priv.errors)); }

static void run_close_all(gy_run *r) {
    gy_stream_close(&r->priv.in, run_in_closed);
    gy_stream_close(&r->priv.out, run_out_closed);
    gy_stream_close(&r->priv.errors, run_errors_closed);
}

/* Ends it by force, wherever it is; the first reason stays. */
static void run_break(gy_run *r, int err) {
    if (!r->priv.err) r->priv.err = err;
    gy_process_kill_group(&r->process, SIGKILL);
    gy_process_kill(&r->process, SIGKILL);
    run_close_all(r);
}

/* ---- input ------------------------------------------------------------------------------------------------------- */

/* Whatever comes of it: a program need not read what it is offered. */
static void run_written(gy_write *w, int err) {
    gy_run *r = GY_OF(w, gy_run, priv.write);
    (void)err;
    gy_stream_close(&r->priv.in, run_in_closed);
}

/* ---- output ------------------------------------------------------------------------------------------------------ */

static void run_out(gy_stream *s, int err, gy_buf got);
static void run_errors(gy_stream *s, int err, gy_buf got);

/* Behind what is there already. When the room is used up, one byte more tells whether it was enough. */
static gy_buf run_room(gy_run *r, const gy_stream *s) {
    bool out = s == &r->priv.out;
    gy_buf into = out ? r->out : r->errors;
    size_t room = out ? r->priv.out_room : r->priv.errors_room;
    into.base = room ? (char *)into.base + into.len : &r->priv.more[!out];
    into.len = room ? room : 1;
    return into;
}

static int run_keep(gy_run *r, const gy_stream *s, size_t got) {
    bool out = s == &r->priv.out;
    gy_buf *kept = out ? &r->out : &r->errors;
    size_t *room = out ? &r->priv.out_room : &r->priv.errors_room;
    if (!*room) return -ENOBUFS;
    kept->len += got;
    *room -= got;
    return 0;
}

/* What is there, without waiting for more. @return why that is all: GY_EOF, or an error */
static int run_take(gy_run *r, gy_stream *s) {
    int err = 0;
    while (!err) {
        int64_t got = gy_stream_try_read(s, run_room(r, s));
        err = got > 0 ? run_keep(r, s, (size_t)got) : (int)got;
    }
    return err == -EAGAIN || err == GY_ECLOSED ? GY_EOF : err;
}

static int run_read(gy_run *r, gy_stream *s) {
    return gy_stream_read(s, run_room(r, s), s == &r->priv.out ? run_out : run_errors);
}

/* @return 0 when it goes on */
static int run_heard(gy_run *r, gy_stream *s, int err, size_t got) {
    if (!err) err = run_keep(r, s, got);
    if (!err) err = run_read(r, s);
    if (err == GY_ECANCELED) err = run_take(r, s);
    if (err && err != GY_EOF) run_break(r, err);
    return err;
}

static void run_out(gy_stream *s, int err, gy_buf got) {
    if (run_heard(GY_OF(s, gy_run, priv.out), s, err, got.len)) gy_stream_close(s, run_out_closed);
}

static void run_errors(gy_stream *s, int err, gy_buf got) {
    if (run_heard(GY_OF(s, gy_run, priv.errors), s, err, got.len)) gy_stream_close(s, run_errors_closed);
}

/* ---- begin and end ----------------------------------------------------------------------------------------------- */

static void run_read_no_more(gy_run *r) {
    gy_stream_cancel(&r->priv.out, GY_STREAM_READ, GY_ECANCELED);
    gy_stream_cancel(&r->priv.errors, GY_STREAM_READ, GY_ECANCELED);
}

/* The program has ended in time, but not its output. */
static void run_late(gy_timer *timer) {
    gy_run *r = GY_OF(timer, gy_run, priv.limit);
    r->how.timed_out = true;
    run_read_no_more(r);
}

static void run_exited(gy_process *p, int err, gy_exit how) {
    gy_run *r = GY_OF(p, gy_run, process);
    r->how = how;
    if (!r->priv.err) r->priv.err = err;
    gy_stream_close(&r->priv.in, run_in_closed);
    if (r->priv.err) run_close_all(r);
    else if (how.timed_out) run_read_no_more(r);
    else if (r->priv.due) gy_timer_start(r->loop, &r->priv.limit, (gy_timer_opts){.at = r->priv.due, .fn = run_late});
    run_over(r);
}

static gy_stdio run_stdio(gy_buf buf, gy_stream *s, gy_stdio_kind kind, gy_stdio_kind otherwise) {
    return (gy_stdio){.kind = buf.len ? kind : otherwise, .stream = buf.len ? s : NULL};
}

/* What fails here does so after the start, and is told by the callback. */
static void run_begin(gy_run *r, gy_buf input) {
    int err = 0;
    r->priv.left = 1U + (input.len != 0) + (r->priv.out_room != 0) + (r->priv.errors_room != 0);
    if (input.len) err = gy_stream_write(&r->priv.in, &r->priv.write, input, run_written);
    if (!err && r->priv.out_room) err = run_read(r, &r->priv.out);
    if (!err && r->priv.errors_room) err = run_read(r, &r->priv.errors);
    if (err) run_break(r, err);
}

/* When the time limit strikes; 0: never. */
static gy_ns run_due(const gy_loop *loop, gy_ns limit) {
    gy_ns now = gy_loop_now(loop);
    return limit > 0 && limit < GY_FOREVER - now ? now + limit : 0;
}

static int run_lacks(gy_buf buf) { return buf.len && !buf.base; }

int gy_run_start(gy_loop *loop, gy_run *r, gy_run_opts o) {
    if (!o.fn || o.process.fn || o.process.stdio || o.process.stdio_count) return -EINVAL;
    if (run_lacks(o.input) || run_lacks(o.out) || run_lacks(o.errors)) return -EINVAL;
    if (r->priv.left) return -EALREADY;
    const gy_stdio stdio[] = {
        run_stdio(o.input, &r->priv.in, GY_STDIO_IN, GY_STDIO_IGNORE),
        run_stdio(o.out, &r->priv.out, GY_STDIO_OUT, GY_STDIO_IGNORE),
        run_stdio(o.errors, &r->priv.errors, GY_STDIO_OUT, GY_STDIO_INHERIT),
    };
    o.process.stdio = stdio;
    o.process.stdio_count = 3;
    o.process.fn = run_exited;
    int err = gy_process_spawn(loop, &r->process, o.process);
    if (err) return err;
    r->loop = loop;
    r->how = (gy_exit){.code = -1};
    r->out = (gy_buf){o.out.base, 0};
    r->errors = (gy_buf){o.errors.base, 0};
    r->priv.out_room = o.out.len;
    r->priv.errors_room = o.errors.len;
    r->priv.err = 0;
    r->priv.fn = o.fn;
    r->priv.due = run_due(loop, o.process.timeout);
    run_begin(r, o.input);
    return 0;
}

void gy_run_cancel(gy_run *r) {
    if (r->priv.left) run_break(r, GY_ECANCELED);
}
