/* SPDX-License-Identifier: ISC */
/* Many servers at once: asks each of them something and tells how many bytes it answered.
 *
 *   fetch_all [-n LIMIT] [-t SECONDS] HOST:PORT[/PATH]...        at most LIMIT (4) at a time, each within SECONDS (5)
 *
 * A worker is a fiber that takes the next address from the list until there is none; there are as many workers as
 * connections are wanted at a time. They live in a scope: the first error cancels the others, each of which hangs up on
 * its own stack, and nothing is left when gy_scope_wait() has returned. */
#include <errno.h>
#include <gyre/gyre.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct {
    gy_loop *loop;
    char **next; /* addresses that nobody has taken; the last is NULL */
    gy_ns patience;
    unsigned workers;
} all = {.patience = GY_S(5), .workers = 4};

struct fetch {
    gy_cancel limit; /* of time */
    gy_stream stream;
    gy_write write;
    char host[256], request[1024], answer[16384];
};

/* The outcome of a request that `start` begins, once it is there; GY_ECANCELED when the token or the fiber is
 * cancelled. Either way the request is off its memory then. */
#define AWAIT(f, kind, request, start) gy_await_req(GY_PROMISE_UNTIL(&(f)->limit, all.loop, kind, request, start))

/* Splits "host:port/path" and writes the request. @return 0 or a negative error. */
static int prepare(struct fetch *f, const char *what) {
    size_t len = strcspn(what, "/");
    if (len >= sizeof f->host) return -ENAMETOOLONG;
    memcpy(f->host, what, len);
    f->host[len] = '\0';
    const char *path = what[len] ? what + len : "/", *form = "GET %s HTTP/1.0\r\nHost: %s\r\nConnection: close\r\n\r\n";
    int n = snprintf(f->request, sizeof f->request, form, path, f->host);
    return n < 0 || (size_t)n >= sizeof f->request ? -ENAMETOOLONG : 0;
}

static int call(struct fetch *f) {
    gy_dial dial = {0};
    gy_dial_opts opts = {.host = f->host, .fn = gy_settle_dial};
    return gy_value_err(AWAIT(f, dial, &dial, gy_dial_start(all.loop, &dial, &f->stream, opts)));
}

static int send_request(struct fetch *f) {
    gy_buf text = {f->request, strlen(f->request)};
    int err = gy_value_err(AWAIT(f, write, &f->write, gy_stream_write(&f->stream, &f->write, text, gy_settle_write)));
    if (err) return err;
    return gy_value_err(AWAIT(f, write, &f->write, gy_stream_shutdown(&f->stream, &f->write, gy_settle_write)));
}

/* @return the number of bytes up to the end, or a negative error. */
static int64_t read_answer(struct fetch *f) {
    for (int64_t bytes = 0;;) {
        gy_value got = AWAIT(f, read, &f->stream, gy_stream_read(&f->stream, GY_BUF(f->answer), gy_settle_read));
        int err = gy_value_err(got);
        if (err) return err == GY_EOF ? bytes : err;
        bytes += got.num;
    }
}

static void hang_up(struct fetch *f) {
    gy_stream *s = &f->stream;
    if (gy_stream_is_open(s))
        gy_await_shielded(GY_PROMISE(all.loop, close, s, (gy_stream_close(s, gy_settle_close), 0)));
    gy_cancel_close(&f->limit);
}

/* One address. Requests end with the fiber that awaits them (gy_await_req), and with the token. @return 0 or a negative
 * error. */
static int fetch(struct fetch *f, const char *what) {
    gy_cancel_after(all.loop, &f->limit, all.patience);
    int64_t n = prepare(f, what);
    if (n == 0) n = call(f);
    if (n == 0) n = send_request(f);
    if (n == 0) n = read_answer(f);
    if (n == GY_ECANCELED && f->limit.reason) n = f->limit.reason;
    hang_up(f);
    if (n < 0) printf("%s: %s\n", what, gy_error_text((int)n));
    else printf("%s: %lld bytes\n", what, (long long)n);
    return n < 0 ? (int)n : 0;
}

static gy_value work(void *arg) {
    int err = 0;
    (void)arg;
    struct fetch *f = malloc(sizeof *f);
    if (!f) return gy_err(-ENOMEM);
    while (!err && *all.next) {
        memset(f, 0, sizeof *f);
        err = fetch(f, *all.next++);
    }
    free(f);
    return err ? gy_err(err) : gy_num(0);
}

static gy_value manage(void *arg) {
    gy_scope scope = {0};
    for (unsigned i = 0; i < all.workers; i++) gy_scope_start(all.loop, &scope, (gy_fiber_opts){.fn = work});
    *(int *)arg = gy_scope_wait(&scope);
    return gy_num(0);
}

static int usage(void) {
    fprintf(stderr, "usage: fetch_all [-n LIMIT] [-t SECONDS] HOST:PORT[/PATH]...\n");
    return 2;
}

/* Takes "-n 4" and "-t 5" off the front. @return the index of the first address, 0 for what is not understood. */
static int options(int argc, char **argv) {
    int i = 1;
    for (; i + 1 < argc && argv[i][0] == '-'; i += 2) {
        long n = strtol(argv[i + 1], NULL, 10);
        if (n < 1 || n > 10000) return 0;
        if (!strcmp(argv[i], "-n")) all.workers = (unsigned)n;
        else if (!strcmp(argv[i], "-t")) all.patience = GY_S(n);
        else return 0;
    }
    return i;
}

int main(int argc, char **argv) {
    int first = options(argc, argv), err = 0;
    if (first == 0 || first >= argc) return usage();
    all.next = argv + first;
    if (gy_loop_new(&all.loop, (gy_loop_opts){0})) return 1;
    gy_fiber_start(all.loop, (gy_fiber_opts){.fn = manage, .arg = &err});
    int ran = gy_loop_run(all.loop);
    gy_loop_free(all.loop);
    if (err || ran) fprintf(stderr, "fetch_all: %s\n", gy_error_text(err ? err : ran));
    return err || ran;
}
