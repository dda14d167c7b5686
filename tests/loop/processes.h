/* SPDX-License-Identifier: ISC */
/* What the tests of processes share: a child whose output is collected and whose end is noted. */
#ifndef GY_TESTS_PROCESSES_H
#define GY_TESTS_PROCESSES_H

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "gyre/gyre.h"
#include "harness.h"

typedef struct child {
    gy_process process;
    gy_stream in, out;
    gy_write write;
    gy_exit how;
    int err, exits;
    bool eof;
    size_t len;
    char text[8192]; /* what it wrote, ending in 0 */
} child;

static inline void child_exit(gy_process *p, int err, gy_exit how) {
    child *c = GY_OF(p, child, process);
    c->err = err;
    c->how = how;
    c->exits++;
}

static inline void child_read(gy_stream *s, int err, gy_buf got) {
    child *c = GY_OF(s, child, out);
    c->len += got.len;
    if (!err && c->len + 1 < sizeof c->text)
        err = gy_stream_read(s, (gy_buf){c->text + c->len, sizeof c->text - 1 - c->len}, child_read);
    c->eof = err == GY_EOF;
    if (err) gy_stream_close(s, NULL);
}

/* Starts it with its standard output collected, unless the options say otherwise. */
static inline int child_start(gy_loop *loop, child *c, gy_process_opts opts) {
    const gy_stdio stdio[] = {{.kind = GY_STDIO_IGNORE}, {.kind = GY_STDIO_OUT, .stream = &c->out}, {0}};
    bool collect = !opts.stdio_count;
    if (collect) {
        opts.stdio = stdio;
        opts.stdio_count = 3;
    }
    opts.fn = child_exit;
    int err = gy_process_spawn(loop, &c->process, opts);
    if (!err && collect) err = gy_stream_read(&c->out, (gy_buf){c->text, sizeof c->text - 1}, child_read);
    return err;
}

/* A shell script as a program. The arguments live as long as the call that they are written in. */
#define SHELL(script) .program = "/bin/sh", .argv = (const char *const[]){"sh", "-c", (script), NULL}

#define TRUE .program = "/bin/true"

/* The descriptors of a child. */
#define LIST(...)                                                                                                     \
    .stdio = (const gy_stdio[]){__VA_ARGS__}, .stdio_count = sizeof((gy_stdio[]){__VA_ARGS__}) / sizeof(gy_stdio)

static inline gy_loop *new_loop(const char *backend) {
    gy_loop *loop = NULL;
    CHECK_EQ(gy_loop_new(&loop, (gy_loop_opts){.backend = backend}), 0);
    return loop;
}

static inline void end_loop(gy_loop *loop) {
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(gy_loop_free(loop), 0);
}

#endif
