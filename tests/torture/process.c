/* SPDX-License-Identifier: ISC */
/* Processes on the rack: one with pipes, one that cannot be started, and one that is run with input and output. No
 * child may be left, not even as a zombie. */
#include "torture.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* Virtual time does not wait for one that was forgotten, so this does. */
static bool childless(void) {
    siginfo_t info;
    bool none = waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) < 0 && errno == ECHILD;
    if (!none) usleep(500);
    return none;
}

/* ---- a process and its streams ----------------------------------------------------------------------------------- */

typedef struct filter {
    torture t;
    gy_process process;
    gy_stream in, out;
    gy_write write;
    char buf[64];
    bool exited, eof;
    int open;
} filter;

static void filter_over(filter *s) { s->t.done = s->exited && s->eof; }

static void filter_exit(gy_process *p, int err, gy_exit how) {
    filter *s = GY_OF(p, filter, process);
    s->exited = true;
    if (!err && (how.code || how.signo)) err = -EPROTO;
    torture_try(&s->t, err);
    filter_over(s);
}

static void filter_read(gy_stream *stream, int err, gy_buf got) {
    filter *s = GY_OF(stream, filter, out);
    s->eof = err == GY_EOF;
    if (!err) err = memcmp(got.base, "text", 4) ? -EPROTO : gy_stream_read(stream, GY_BUF(s->buf), filter_read);
    if (err != GY_EOF) torture_try(&s->t, err);
    filter_over(s);
}

static void filter_in_closed(gy_stream *stream) { GY_OF(stream, filter, in)->open--; }
static void filter_out_closed(gy_stream *stream) { GY_OF(stream, filter, out)->open--; }

static void filter_written(gy_write *w, int err) {
    filter *s = GY_OF(w, filter, write);
    if (torture_try(&s->t, err)) gy_stream_close(&s->in, filter_in_closed);
}

static void filter_begin(torture *t) {
    filter *s = (filter *)t;
    static char text[] = "text";
    const gy_stdio stdio[] = {{GY_STDIO_IN, .stream = &s->in}, {GY_STDIO_OUT, .stream = &s->out}};
    gy_process_opts opts = {.program = "/bin/cat", .stdio = stdio, .stdio_count = 2, .fn = filter_exit};
    if (!torture_try(t, gy_process_spawn(t->loop, &s->process, opts))) return;
    s->open = 2;
    if (!torture_try(t, gy_stream_write(&s->in, &s->write, (gy_buf){text, 4}, filter_written))) return;
    torture_try(t, gy_stream_read(&s->out, GY_BUF(s->buf), filter_read));
}

static void filter_end(torture *t) {
    filter *s = (filter *)t;
    gy_process_kill(&s->process, SIGKILL); /* may fail on purpose: the end of input is enough */
    gy_stream_close(&s->in, filter_in_closed);
    gy_stream_close(&s->out, filter_out_closed);
}

static bool filter_ended(torture *t) {
    filter *s = (filter *)t;
    return !s->open && !gy_process_running(&s->process) && childless();
}

TEST_BACKENDS(torture, a_process) {
    torture_run(backend, &(torture_scenario){
                             .size = sizeof(filter), .begin = filter_begin, .end = filter_end, .ended = filter_ended});
}

/* ---- one that cannot be started, and one that is forgotten ------------------------------------------------------- */

static void missing_begin(torture *t) {
    filter *s = (filter *)t;
    const gy_stdio stdio[] = {{GY_STDIO_DUPLEX, .stream = &s->in}, {GY_STDIO_OUT, .stream = &s->out}};
    gy_process_opts opts = {.program = "/nonexistent", .stdio = stdio, .stdio_count = 2, .fn = filter_exit};
    int err = gy_process_spawn(t->loop, &s->process, opts);
    CHECK(err < 0 && !gy_process_running(&s->process) && childless());
    if (err != -ENOENT) torture_try(t, err);
    opts = (gy_process_opts){.program = "/bin/true"};
    if (!t->told) torture_try(t, gy_process_spawn(t->loop, &s->process, opts));
    t->done = true;
}

TEST_BACKENDS(torture, missing_and_forgotten_processes) {
    torture_run(backend, &(torture_scenario){
                             .size = sizeof(filter), .begin = missing_begin, .end = filter_end, .ended = filter_ended});
}

/* ---- gy_run ------------------------------------------------------------------------------------------------------ */

typedef struct runner {
    torture t;
    gy_run run;
    bool told;
    char out[64], errors[64];
} runner;

static void runner_done(gy_run *run, int err) {
    runner *s = GY_OF(run, runner, run);
    CHECK(!s->told);
    s->told = true;
    torture_try(&s->t, err);
    s->t.done = true;
}

static void runner_begin(torture *t) {
    runner *s = (runner *)t;
    static char text[] = "text";
    const char *const argv[] = {"sh", "-c", "cat; echo x >&2", NULL};
    gy_run_opts opts = {.process = {.program = "/bin/sh", .argv = argv, .timeout = GY_S(100)}, .input = {text, 4},
                        .out = GY_BUF(s->out), .errors = GY_BUF(s->errors), .fn = runner_done};
    torture_try(t, gy_run_start(t->loop, &s->run, opts));
}

static void runner_end(torture *t) { gy_run_cancel(&((runner *)t)->run); }

static bool runner_ended(torture *t) {
    (void)t;
    return childless();
}

TEST_BACKENDS(torture, a_run) {
    torture_run(backend, &(torture_scenario){
                             .size = sizeof(runner), .begin = runner_begin, .end = runner_end, .ended = runner_ended});
}
