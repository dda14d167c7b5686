/* SPDX-License-Identifier: ISC */
/* The server of tools/demo: it echoes lines, and is a chat for those who join.
 *
 *     a line            comes back as it is
 *     /join             from now on hears the room
 *     /say something    is heard by everyone who has joined, through an emitter
 *
 * Every connection has an idle limit that each message pushes forward, every 64th message is also given to the pool to
 * be summed up, and a timer looks once a second. On SIGTERM or SIGINT it prints what the loop has measured. */
#include <gyre/gyre.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { LINE_MOST = 512, SUM_EVERY = 64, SUM_ROUNDS = 2000 };

struct said {
    const char *text;
    size_t len;
};
GY_EVENT(said, struct said);

struct conn {
    gy_stream stream;
    gy_write write;
    gy_timeout idle;
    gy_listener hears;
    gy_work sum;
    size_t filled, out;
    bool writing, summing, closed;
    uint32_t total;
    char in[LINE_MOST], answer[LINE_MOST];
};

static struct server {
    gy_loop *loop;
    gy_stream listener;
    gy_emitter room;
    gy_timer look;
    gy_signal end[2];
    unsigned open, open_most, seconds;
    uint64_t messages, broadcasts, heard, sums;
    long rss_first, rss_most;
} server;

static gy_read_fn on_read;

/* Resident memory of this process in bytes, as far as the system tells. */
static long resident(void) {
    long pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (!f) return 0;
    if (fscanf(f, "%*s %ld", &pages) != 1) pages = 0;
    fclose(f);
    return pages * sysconf(_SC_PAGESIZE);
}

/* ---- connections ---- */

/* The memory goes when the stream is closed and the pool has given its job back, whichever comes last. */
static void conn_release(struct conn *c) {
    if (c->closed && !c->summing) free(c);
}

static void on_close(gy_stream *stream) {
    struct conn *c = GY_OF(stream, struct conn, stream);
    server.open--;
    c->closed = true;
    conn_release(c);
}

static void conn_end(struct conn *c) {
    gy_timeout_stop(&c->idle);
    gy_off(&c->hears);
    gy_stream_close(&c->stream, on_close);
}

static void conn_read(struct conn *c) {
    gy_timeout_start(&c->idle, &c->stream, GY_STREAM_READ, GY_S(60));
    gy_stream_read(&c->stream, (gy_buf){c->in + c->filled, sizeof c->in - c->filled}, on_read);
}

static void conn_lines(struct conn *c);

static void on_written(gy_write *write, int err) {
    struct conn *c = GY_OF(write, struct conn, write);
    c->writing = false;
    if (!gy_stream_is_open(&c->stream)) return;
    if (err) conn_end(c);
    else if (c->filled) conn_lines(c);
    else conn_read(c);
}

/* What was said is heard at once or, by who is still busy with the last line, not at all. */
static void on_said(gy_listener *listener, const struct said *said) {
    struct conn *c = GY_OF(listener, struct conn, hears);
    gy_buf text = {(void *)(uintptr_t)said->text, said->len};
    server.heard += gy_stream_try_write(&c->stream, text) == (int64_t)said->len;
}

static void sum_run(gy_work *work) {
    struct conn *c = GY_OF(work, struct conn, sum);
    for (int i = 0; i < SUM_ROUNDS; i++) c->total = c->total * 31 + (uint32_t)i;
}

static void sum_done(gy_work *work, int err) {
    struct conn *c = GY_OF(work, struct conn, sum);
    c->summing = false;
    server.sums += err == 0;
    conn_release(c);
}

/* ---- lines ---- */

static void conn_echo(struct conn *c, const char *line, size_t len) {
    memcpy(c->answer, line, len);
    c->writing = gy_stream_write(&c->stream, &c->write, (gy_buf){c->answer, len}, on_written) == 0;
    if (++server.messages % SUM_EVERY || c->summing) return;
    c->summing = gy_pool_submit(server.loop, &c->sum,
                                (gy_work_opts){.run = sum_run, .done = sum_done, .lane = GY_LANE_CPU}) == 0;
}

static void conn_line(struct conn *c, const char *line, size_t len) {
    if (len > 5 && memcmp(line, "/say ", 5) == 0) {
        server.broadcasts++;
        said_emit(&server.room, &(struct said){line + 5, len - 5});
        conn_echo(c, "said\n", 5);
    } else if (len >= 5 && memcmp(line, "/join", 5) == 0) {
        said_on(&server.room, &c->hears, on_said);
        conn_echo(c, "joined\n", 7);
    } else {
        conn_echo(c, line, len);
    }
}

/* Answers the first whole line; the next one has its turn when that is written. */
static void conn_lines(struct conn *c) {
    char *feed = memchr(c->in, '\n', c->filled);
    size_t len = feed ? (size_t)(feed + 1 - c->in) : 0;
    if (feed) {
        conn_line(c, c->in, len);
        c->filled -= len;
        memmove(c->in, c->in + len, c->filled);
    } else if (c->filled == sizeof c->in) {
        conn_end(c);
    } else {
        conn_read(c);
    }
}

static void on_read(gy_stream *stream, int err, gy_buf got) {
    struct conn *c = GY_OF(stream, struct conn, stream);
    if (err) {
        conn_end(c);
        return;
    }
    c->filled += got.len;
    conn_lines(c);
}

static void on_connection(gy_stream *listener, int err) {
    struct conn *c = err ? NULL : calloc(1, sizeof *c);
    if (!c || gy_stream_accept(listener, &c->stream)) {
        free(c);
        return;
    }
    if (++server.open > server.open_most) server.open_most = server.open;
    conn_read(c);
}

/* ---- the report ---- */

static double us(gy_ns t) { return (double)t / 1e3; }

static void report(void) {
    gy_loop_stats s;
    gy_loop_stats_get(server.loop, &s);
    double messages = server.messages ? (double)server.messages : 1;
    printf("  server    %u connections at once, %llu messages, %llu said in the room and heard %llu times, "
           "%llu pool jobs\n",
           server.open_most, (unsigned long long)server.messages, (unsigned long long)server.broadcasts,
           (unsigned long long)server.heard, (unsigned long long)server.sums);
    printf("  memory    %ld bytes resident per connection (the struct is %zu, of which the stream is %zu)\n",
           (server.rss_most - server.rss_first) / (long)(server.open_most ? server.open_most : 1), sizeof(struct conn),
           sizeof(gy_stream));
    printf("  kernel    %.2f system calls per message, of them %.2f waits\n", (double)s.syscalls / messages,
           (double)s.waits / messages);
    printf("  loop      %s; %llu turns, %.1f callbacks each; busy %.0f ms, waiting %.0f ms\n",
           gy_loop_backend(server.loop), (unsigned long long)s.turns,
           (double)s.callbacks / (double)(s.turns ? s.turns : 1), (double)s.busy / 1e6, (double)s.waiting / 1e6);
    printf("            a turn was busy for less than %.0f us in half, %.0f us in 99 of 100 cases; timers late by less "
           "than %.0f us in half\n",
           us(gy_histogram_percentile(&s.lag, 50)), us(gy_histogram_percentile(&s.lag, 99)),
           us(gy_histogram_percentile(&s.lateness, 50)));
}

static void on_look(gy_timer *timer) {
    (void)timer;
    long now = resident();
    if (now > server.rss_most) server.rss_most = now;
    server.seconds++;
}

static void on_end(gy_signal *signal, unsigned count) {
    (void)count;
    on_look(&server.look);
    gy_loop_stop(signal->loop);
}

static void raise_descriptor_limit(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit)) return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

int main(int argc, char **argv) {
    gy_addr at;
    raise_descriptor_limit();
    int err = gy_loop_new(&server.loop, (gy_loop_opts){0});
    const char *addr = argc > 1 ? argv[1] : "127.0.0.1:0";
    if (!err) err = gy_tcp_listen(server.loop, &server.listener, (gy_listen_opts){.addr = addr, .fn = on_connection});
    if (!err) err = gy_signal_start(server.loop, &server.end[0], SIGTERM, on_end);
    if (!err) err = gy_signal_start(server.loop, &server.end[1], SIGINT, on_end);
    if (!err) err = gy_stream_local_addr(server.loop ? &server.listener : NULL, &at);
    if (!err) {
        gy_emitter_set_max_listeners(&server.room, 0);
        server.rss_first = resident();
        gy_timer_start(server.loop, &server.look, (gy_timer_opts){.every = GY_S(1), .fn = on_look});
        printf("%s\n", at.text);
        fflush(stdout);
        err = gy_loop_run(server.loop);
        report();
    }
    if (err < 0) fprintf(stderr, "demo server: %s\n", gy_error_text(err));
    return err < 0;
}
