/* SPDX-License-Identifier: ISC */
/* Connecting to one of several addresses. A hole is a listener on loopback whose queue is full: it does not answer, so
 * an attempt there hangs. With virtual time, when the next one begins is known to the nanosecond. */
#include "streams.h"

enum { FULL = 12 };

typedef struct hole {
    int fd, raw[FULL];
    gy_addr addr;
} hole;

static void hole_open(kit *k, hole *h) {
    struct sockaddr_in in;
    socklen_t len = sizeof in;
    char kept[sizeof k->addr];
    memset(&in, 0, sizeof in);
    in.sin_family = AF_INET;
    in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    h->fd = socket(AF_INET, SOCK_STREAM, 0);
    CHECK(h->fd >= 0 && bind(h->fd, (struct sockaddr *)&in, len) == 0 && listen(h->fd, 0) == 0);
    CHECK_EQ(getsockname(h->fd, (struct sockaddr *)&in, &len), 0);
    snprintf(h->addr.text, sizeof h->addr.text, "127.0.0.1:%u", (unsigned)ntohs(in.sin_port));
    memcpy(kept, k->addr, sizeof kept);
    memcpy(k->addr, h->addr.text, sizeof h->addr.text);
    for (int i = 0; i < FULL; i++) h->raw[i] = kit_raw_connect(k, true);
    memcpy(k->addr, kept, sizeof kept);
}

static void hole_close(hole *h) {
    for (int i = 0; i < FULL; i++) close(h->raw[i]);
    close(h->fd);
}

/* A listener that answers, a hole, and a port where nobody listens. */
typedef struct place {
    kit k;
    kit_server server;
    hole hole;
    gy_addr good, silent, refused;
    gy_dial dial;
    gy_stream stream;
    int told, err;
    gy_ns begun, took;
} place;

static void place_open(place *p, const char *backend) {
    gy_stream nobody = {.user = NULL};
    memset(p, 0, sizeof *p);
    kit_open(&p->k, backend);
    kit_listen(&p->k, &nobody, KIT_TCP4, kit_note_connect);
    memcpy(p->refused.text, p->k.addr, sizeof p->refused.text);
    kit_server_open(&p->k, &p->server, KIT_TCP4);
    memcpy(p->good.text, p->k.addr, sizeof p->good.text);
    gy_stream_close(&nobody, NULL);
    kit_turns(&p->k, 2);
    hole_open(&p->k, &p->hole);
    p->silent = p->hole.addr;
}

static void place_close(place *p) {
    gy_stream_close(&p->stream, NULL);
    gy_stream_close(&p->server.listener, NULL);
    kit_run(&p->k);
    hole_close(&p->hole);
    kit_close(&p->k);
}

static void place_told(gy_dial *dial, int err) {
    place *p = GY_OF(dial, place, dial);
    p->told++;
    p->err = err;
    p->took = gy_loop_now(dial->loop) - p->begun;
}

static void place_start(place *p, gy_dial_opts opts) {
    opts.fn = place_told;
    p->told = 0;
    CHECK_EQ(gy_dial_start(p->k.loop, &p->dial, &p->stream, opts), 0);
    p->begun = gy_loop_update_now(p->k.loop);
    CHECK_EQ(p->told, 0);
}

static void place_dial(place *p, gy_dial_opts opts) {
    place_start(p, opts);
    kit_until(&p->k, &p->told, 1);
    CHECK_EQ(p->told, 1);
    CHECK_EQ(gy_stream_is_open(&p->stream), p->err == 0);
    CHECK_EQ(gy_dial_cancel(&p->dial), -EALREADY);
}

static bool is_sim(const char *backend) { return strcmp(backend, "sim") == 0; }

/* That it took as long as the head starts that were given, or with real time, not less. */
static void check_took(const place *p, const char *backend, gy_ns expected) {
    if (is_sim(backend)) CHECK_EQ(p->took, expected);
    else CHECK(p->took >= expected - GY_MS(1)); /* `begun` was read after the timer */
}

/* Sends a word through the echo server and back. */
static void check_echo(place *p) {
    kit_note note = {0};
    char out[] = "word", in[16];
    gy_write w = {.user = &note};
    p->stream.user = &note;
    CHECK_EQ(gy_stream_read(&p->stream, GY_BUF(in), kit_note_read), 0);
    CHECK_EQ(gy_stream_write(&p->stream, &w, GY_BUF(out), kit_note_write), 0);
    kit_until(&p->k, &note.reads, 1);
    CHECK_EQ(note.err, 0);
    CHECK_STR(in, "word");
    p->stream.user = NULL;
}

static void place_hang_up(place *p) {
    gy_stream_close(&p->stream, NULL);
    kit_turns(&p->k, 2);
    memset(&p->stream, 0, sizeof p->stream);
}

/* ---- who wins ---------------------------------------------------------------------------------------------------- */

TEST_BACKENDS(dials, a_numeric_host_is_one_address) {
    place p;
    place_open(&p, backend);
    place_dial(&p, (gy_dial_opts){.host = p.good.text});
    CHECK_EQ(p.err, 0);
    CHECK_EQ(p.dial.tried, 1);
    CHECK(p.dial.stream == &p.stream);
    check_echo(&p);
    gy_dial_opts again = {.host = p.good.text, .fn = place_told};
    CHECK_EQ(gy_dial_start(p.k.loop, &p.dial, &p.stream, again), -EALREADY);
    place_hang_up(&p);
    place_dial(&p, (gy_dial_opts){.host = "127.0.0.1", .port = (uint16_t)atoi(p.good.text + 10)});
    CHECK_EQ(p.err, 0);
    check_echo(&p);
    place_close(&p);
}

TEST_BACKENDS(dials, after_a_failure_the_next_one_begins_at_once) {
    place p;
    place_open(&p, backend);
    gy_addr addrs[] = {p.refused, p.refused, p.good, p.silent};
    place_dial(&p, (gy_dial_opts){.addrs = addrs, .count = 4, .delay = GY_S(1000)});
    CHECK_EQ(p.err, 0);
    CHECK_EQ(p.dial.tried, 3);
    if (is_sim(backend)) CHECK_EQ(p.took, 0);
    check_echo(&p);
    place_close(&p);
}

TEST_BACKENDS(dials, a_silent_address_has_a_head_start_only) {
    place p;
    place_open(&p, backend);
    gy_addr addrs[] = {p.silent, p.good};
    place_dial(&p, (gy_dial_opts){.addrs = addrs, .count = 2});
    CHECK_EQ(p.err, 0);
    if (p.dial.tried == 1) SKIP("this kernel takes connections beyond the backlog");
    CHECK_EQ(p.dial.tried, 2);
    check_took(&p, backend, GY_MS(250));
    check_echo(&p);
    place_close(&p);
}

TEST_BACKENDS(dials, each_has_its_head_start) {
    place p;
    place_open(&p, backend);
    gy_addr addrs[] = {p.silent, p.silent, p.refused, p.silent, p.good};
    place_dial(&p, (gy_dial_opts){.addrs = addrs, .count = 5, .delay = GY_MS(20)});
    CHECK_EQ(p.err, 0);
    if (p.dial.tried == 1) SKIP("this kernel takes connections beyond the backlog");
    CHECK_EQ(p.dial.tried, 5);
    check_took(&p, backend, GY_MS(60));
    check_echo(&p);
    place_close(&p);
}

TEST_BACKENDS(dials, families_take_turns) {
    place p;
    if (!kit_has(KIT_TCP6)) SKIP("no IPv6 here");
    place_open(&p, backend);
    /* In this order the second one would be silent; with turns, it is the good one of the other family. */
    gy_addr addrs[] = {{"[::1]:1"}, {"[::1]:1"}, {"[::1]:1"}, p.good, p.silent};
    place_dial(&p, (gy_dial_opts){.addrs = addrs, .count = 5});
    CHECK_EQ(p.err, 0);
    CHECK_EQ(p.dial.tried, 2);
    place_hang_up(&p);
    place_dial(&p, (gy_dial_opts){.addrs = addrs, .count = 5, .family = GY_DNS_V4});
    CHECK_EQ(p.err, 0);
    CHECK_EQ(p.dial.tried, 1);
    place_hang_up(&p);
    place_dial(&p, (gy_dial_opts){.addrs = addrs, .count = 5, .from = "127.0.0.1:0"});
    CHECK_EQ(p.err, 0);
    CHECK_EQ(p.dial.tried, 1);
    place_hang_up(&p);
    place_dial(&p, (gy_dial_opts){.addrs = addrs, .count = 5, .family = GY_DNS_V6});
    CHECK_EQ(p.err, -ECONNREFUSED);
    CHECK_EQ(p.dial.tried, 3);
    place_close(&p);
}

TEST_BACKENDS(dials, from_a_chosen_address) {
    place p;
    gy_addr local;
    place_open(&p, backend);
    place_dial(&p, (gy_dial_opts){.host = p.good.text, .from = "127.0.0.1:0"});
    CHECK_EQ(p.err, 0);
    CHECK_EQ(gy_stream_local_addr(&p.stream, &local), 0);
    CHECK(strncmp(local.text, "127.0.0.1:", 10) == 0);
    place_hang_up(&p);
    place_dial(&p, (gy_dial_opts){.host = p.good.text, .from = "192.0.2.1:0"}); /* for documentation: nobody's */
    CHECK_EQ(p.err, -EADDRNOTAVAIL);
    place_close(&p);
}

/* ---- nobody wins ------------------------------------------------------------------------------------------------- */

TEST_BACKENDS(dials, when_all_fail_the_most_telling_error_is_told) {
    place p;
    place_open(&p, backend);
    gy_addr addrs[] = {p.refused, p.refused};
    place_dial(&p, (gy_dial_opts){.addrs = addrs, .count = 2});
    CHECK_EQ(p.err, -ECONNREFUSED);
    CHECK_EQ(p.dial.tried, 2);
    place_dial(&p, (gy_dial_opts){.host = p.good.text, .family = GY_DNS_V6});
    CHECK_EQ(p.err, GY_ENOADDRESS);
    CHECK_EQ(p.dial.tried, 0);
    place_close(&p);
}

TEST_BACKENDS(dials, the_time_limit_is_for_all_of_it) {
    place p;
    place_open(&p, backend);
    gy_addr addrs[] = {p.silent, p.silent, p.silent};
    place_dial(&p, (gy_dial_opts){.addrs = addrs, .count = 3, .delay = GY_MS(10), .timeout = GY_MS(45)});
    if (p.err == 0) SKIP("this kernel takes connections beyond the backlog");
    CHECK_EQ(p.err, -ETIMEDOUT);
    CHECK_EQ(p.dial.tried, 3);
    check_took(&p, backend, GY_MS(45));
    place_close(&p);
}

TEST_BACKENDS(dials, no_more_at_once_than_allowed) {
    place p;
    place_open(&p, backend);
    gy_addr addrs[] = {p.silent, p.silent, p.good};
    gy_dial_opts opts = {.addrs = addrs, .count = 3, .delay = GY_MS(5), .timeout = GY_MS(60), .most = 2};
    place_dial(&p, opts);
    if (p.err == 0) SKIP("this kernel takes connections beyond the backlog");
    CHECK_EQ(p.err, -ETIMEDOUT);
    CHECK_EQ(p.dial.tried, 2);
    opts.most = 3;
    opts.timeout = GY_S(10); /* not of interest now, and the machine may be busy */
    place_dial(&p, opts);
    CHECK_EQ(p.err, 0);
    CHECK_EQ(p.dial.tried, 3);
    place_close(&p);
}

/* ---- ending ------------------------------------------------------------------------------------------------------ */

TEST_BACKENDS(dials, cancelling_ends_every_attempt_and_reports_once) {
    for (int turns = 0; turns < 4; turns++) {
        place p;
        place_open(&p, backend);
        int fds = kit_count_fds();
        gy_addr addrs[] = {p.silent, p.silent};
        place_start(&p, (gy_dial_opts){.addrs = addrs, .count = 2, .delay = 1, .timeout = GY_S(1000)});
        for (int i = 0; i < turns; i++) CHECK(gy_loop_step(p.k.loop, GY_STEP_POLL) >= 0);
        CHECK_EQ(p.told, 0);
        CHECK_EQ(gy_loop_free(p.k.loop), -EBUSY);
        CHECK_EQ(gy_dial_cancel(&p.dial), 0);
        CHECK_EQ(gy_dial_cancel(&p.dial), 0);
        CHECK_EQ(kit_count_fds(), fds);
        CHECK_EQ(p.told, 0);
        kit_until(&p.k, &p.told, 1);
        CHECK_EQ(p.err, GY_ECANCELED);
        CHECK(!gy_stream_is_open(&p.stream));
        place_dial(&p, (gy_dial_opts){.host = p.good.text}); /* it can be used again */
        CHECK_EQ(p.err, 0);
        place_close(&p);
    }
}

TEST_BACKENDS(dials, a_stream_that_was_opened_meanwhile_is_left_alone) {
    place p;
    kit_note note = {0};
    place_open(&p, backend);
    place_start(&p, (gy_dial_opts){.host = p.good.text});
    p.stream.user = &note;
    gy_connect_opts other = {.addr = p.good.text, .fn = kit_note_connect};
    CHECK_EQ(gy_tcp_connect(p.k.loop, &p.stream, other), 0);
    kit_until(&p.k, &p.told, 1);
    kit_until(&p.k, &note.connects, 1);
    CHECK_EQ(p.err, -EALREADY);
    CHECK_EQ(note.err, 0);
    check_echo(&p);
    place_close(&p);
}

typedef struct brief {
    gy_dial dial;
    gy_stream stream;
    int *left;
} brief;

static void brief_closed(gy_stream *s) { free(GY_OF(s, brief, stream)); }

static void brief_told(gy_dial *dial, int err) {
    brief *b = GY_OF(dial, brief, dial);
    --*b->left;
    if (err) free(b);
    else gy_stream_close(&b->stream, brief_closed);
}

TEST_BACKENDS(dials, many_at_once_whose_memory_goes_in_the_callback) {
    place p;
    int left = 60;
    place_open(&p, backend);
    gy_addr addrs[] = {p.silent, p.refused, p.good};
    for (int i = left; i > 0; i--) {
        brief *b = calloc(1, sizeof *b);
        CHECK(b != NULL);
        b->left = &left;
        gy_dial_opts opts = {.addrs = addrs, .count = i % 3 ? 3 : 2, .delay = GY_MS(1), .fn = brief_told};
        if (i % 3 == 0) opts.timeout = GY_MS(20);
        CHECK_EQ(gy_dial_start(p.k.loop, &b->dial, &b->stream, opts), 0);
    }
    for (int turn = 0; turn < KIT_TURNS && left; turn++) CHECK(gy_loop_step(p.k.loop, GY_STEP_WAIT) >= 0);
    CHECK_EQ(left, 0);
    place_close(&p);
}
