/* SPDX-License-Identifier: ISC */
/* The clients of tools/demo: many connections that stay open, some of which talk.
 *
 *     demo_load ADDRESS CONNECTIONS ACTIVE SECONDS
 *
 * An active connection sends a line, waits for the answer, and sends the next one; the time between is its latency.
 * Some of them join the room and now and then say something there. */
#include <gyre/gyre.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

enum { TALKERS = 20, SAY_EVERY = 50, BUCKETS = 100000 /* of a microsecond */ };

struct client {
    gy_stream stream;
    gy_write write;
    gy_ns sent;
    bool active, talker;
    unsigned lines;
    char in[2048], out[64];
};

static struct load {
    gy_loop *loop;
    gy_timer end, begin;
    struct client *clients;
    unsigned count, active, connected, failed, next;
    uint64_t messages;
    gy_ns begun, seconds;
    unsigned latency[BUCKETS];
} load;

static gy_read_fn on_answer;
static gy_connect_fn on_connect;

static void on_sent(gy_write *write, int err) {
    if (err && err != GY_ECANCELED) load.failed++;
    (void)write;
}

static void client_send(struct client *c) {
    int len = ++c->lines == 1 && c->talker ? snprintf(c->out, sizeof c->out, "/join\n")
              : c->talker && c->lines % SAY_EVERY == 0
                  ? snprintf(c->out, sizeof c->out, "/say hello from %p\n", (void *)c)
                  : snprintf(c->out, sizeof c->out, "message %u of the demo\n", c->lines);
    c->sent = gy_loop_update_now(load.loop);
    gy_stream_write(&c->stream, &c->write, (gy_buf){c->out, (size_t)len}, on_sent);
}

/* Talkers hear the room between their answers, so any line ends their wait; that only makes them talk faster. */
static void on_answer(gy_stream *stream, int err, gy_buf got) {
    struct client *c = GY_OF(stream, struct client, stream);
    (void)got;
    if (err) {
        if (err != GY_ECANCELED) load.failed++;
        gy_stream_close(stream, NULL);
        return;
    }
    if (c->active && !c->talker) {
        gy_ns us = (gy_loop_update_now(load.loop) - c->sent) / 1000;
        load.latency[us < BUCKETS ? us : BUCKETS - 1]++;
    }
    load.messages++;
    gy_stream_read(stream, GY_BUF(c->in), on_answer);
    if (gy_stream_queued(stream) == 0) client_send(c);
}

static void on_end(gy_timer *timer) {
    load.seconds = gy_loop_now(timer->loop) - load.begun;
    for (unsigned i = 0; i < load.count; i++) gy_stream_close(&load.clients[i].stream, NULL);
}

/* All are connected: the active ones begin. */
static void on_begin(gy_timer *timer) {
    load.begun = gy_loop_now(timer->loop);
    gy_timer_start(timer->loop, &load.end, (gy_timer_opts){.after = load.seconds, .fn = on_end});
    for (unsigned i = 0; i < load.count; i++) {
        struct client *c = &load.clients[i];
        if (!gy_stream_is_open(&c->stream)) continue;
        gy_stream_read(&c->stream, GY_BUF(c->in), on_answer);
        if (c->active) client_send(c);
    }
}

/* A few at a time, as a queue of connections is short on some systems. */
static void connect_next(const char *addr) {
    static const char *to;
    if (addr) to = addr;
    if (load.next == load.count) return;
    struct client *c = &load.clients[load.next++];
    c->active = load.next <= load.active;
    c->talker = load.next <= TALKERS;
    int err = gy_tcp_connect(load.loop, &c->stream, (gy_connect_opts){.addr = to, .fn = on_connect});
    if (err) {
        fprintf(stderr, "demo load: connection %u: %s\n", load.next, gy_error_text(err));
        exit(1);
    }
}

static void on_connect(gy_stream *stream, int err) {
    if (err) {
        load.failed++;
        gy_stream_close(stream, NULL);
    } else {
        load.connected++;
    }
    if (load.connected + load.failed == load.count)
        gy_timer_start(load.loop, &load.begin, (gy_timer_opts){.after = GY_S(1), .fn = on_begin}); /* let it settle */
    else connect_next(NULL);
}

static unsigned percentile(double percent) {
    uint64_t total = 0, seen = 0;
    for (unsigned i = 0; i < BUCKETS; i++) total += load.latency[i];
    for (unsigned i = 0; i < BUCKETS; i++) {
        seen += load.latency[i];
        if ((double)seen >= (double)total * percent / 100) return i;
    }
    return 0;
}

int main(int argc, char **argv) {
    if (argc != 5) {
        fprintf(stderr, "usage: demo_load ADDRESS CONNECTIONS ACTIVE SECONDS\n");
        return 2;
    }
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        setrlimit(RLIMIT_NOFILE, &limit);
    }
    load.count = (unsigned)atoi(argv[2]);
    load.active = (unsigned)atoi(argv[3]);
    load.seconds = GY_S(atoi(argv[4]));
    load.clients = calloc(load.count ? load.count : 1, sizeof *load.clients);
    int err = load.clients ? gy_loop_new(&load.loop, (gy_loop_opts){0}) : -12;
    for (int i = 0; i < 64 && !err; i++) connect_next(argv[1]);
    if (!err) err = gy_loop_run(load.loop);
    if (err) {
        fprintf(stderr, "demo load: %s\n", gy_error_text(err));
        return 1;
    }
    printf("  clients   %u connected, %u of them talking for %.1f s, %u failed\n", load.connected, load.active,
           (double)load.seconds / 1e9, load.failed);
    printf("  messages  %llu, that is %.0f per second, there and back\n", (unsigned long long)load.messages,
           (double)load.messages / ((double)load.seconds / 1e9));
    printf("  latency   half below %u us, 95 of 100 below %u us, 99 of 100 below %u us, longest %u us\n",
           percentile(50), percentile(95), percentile(99), percentile(100));
    return load.failed != 0;
}
