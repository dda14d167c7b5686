/* SPDX-License-Identifier: ISC */
/* Runs a program and numbers the lines that it prints.
 *
 *     spawn [-t SECONDS] PROGRAM [ARGUMENT...]
 *
 * Two things have to be over before the result is complete, and they come in any order: the process ends, and its
 * output is read to the end. With -t it is asked to end after that time, and killed a second later. */
#include <gyre/process.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct {
    gy_process process;
    gy_stream out;
    gy_exit how;
    int err;
    unsigned line;
    int inside; /* a line has begun */
    char buf[4096];
} run;

static void print_numbered(const char *text, size_t len) {
    for (size_t i = 0; i < len; i++) {
        if (!run.inside) printf("%5u  ", ++run.line);
        putchar(text[i]);
        run.inside = text[i] != '\n';
    }
}

static void on_read(gy_stream *s, int err, gy_buf got) {
    print_numbered(got.base, got.len);
    if (!err) err = gy_stream_read(s, GY_BUF(run.buf), on_read);
    if (!err) return;
    if (err != GY_EOF) run.err = err;
    gy_stream_close(s, NULL);
}

static void on_exit_of(gy_process *p, int err, gy_exit how) {
    (void)p;
    run.err = err;
    run.how = how;
    /* Who was cut short may have left others behind that hold the output open. */
    if (how.timed_out) gy_stream_close(&run.out, NULL);
}

static int report(void) {
    if (run.inside) putchar('\n');
    if (run.err) {
        fprintf(stderr, "spawn: %s\n", gy_error_text(run.err));
        return 1;
    }
    if (run.how.timed_out) fprintf(stderr, "spawn: out of time\n");
    if (run.how.signo) fprintf(stderr, "spawn: ended by signal %d\n", run.how.signo);
    else fprintf(stderr, "spawn: exit status %d\n", run.how.code);
    return run.how.signo ? 128 + run.how.signo : run.how.code;
}

int main(int argc, char **argv) {
    gy_loop *loop;
    gy_ns limit = 0;
    int at = 1;
    if (argc > 2 && strcmp(argv[1], "-t") == 0) {
        limit = GY_MS(strtol(argv[2], NULL, 10) * 1000);
        at = 3;
    }
    if (at >= argc || limit < 0) {
        fprintf(stderr, "usage: spawn [-t SECONDS] PROGRAM [ARGUMENT...]\n");
        return 2;
    }
    const gy_stdio stdio[] = {{.kind = GY_STDIO_INHERIT}, {.kind = GY_STDIO_OUT, .stream = &run.out}};
    gy_process_opts opts = {.program = argv[at], .argv = (const char *const *)&argv[at], .stdio = stdio,
                            .stdio_count = 2, .timeout = limit, .grace = GY_S(1), .fn = on_exit_of};
    int err = gy_loop_new(&loop, (gy_loop_opts){0});
    if (!err) err = gy_process_spawn(loop, &run.process, opts);
    if (err) {
        const char *step = run.process.step ? run.process.step : "loop";
        fprintf(stderr, "spawn: %s: %s: %s\n", argv[at], step, gy_error_text(err));
        return 127;
    }
    err = gy_stream_read(&run.out, GY_BUF(run.buf), on_read);
    if (!err) err = gy_loop_run(loop);
    if (err) run.err = err;
    gy_loop_free(loop);
    return report();
}
