/* SPDX-License-Identifier: ISC */
/* Udp: datagrams there and back in both families, what comes with them, connecting, closing, and what is refused. */
#include "udp.h"

#include <netinet/ip.h>

static void udp_there_and_back(kit *k, const char *addr) {
    post *a = post_open(k, addr), *b = post_open(k, addr);
    letter ask = {0}, answer = {0};
    post_receive(a);
    post_receive(b);
    letter_send(a, &ask, "hello", &b->at);
    CHECK_EQ(ask.done, 0); /* never inside the call */
    kit_until(k, &b->count, 1);
    CHECK_STR(b->text, "hello");
    CHECK(gy_endpoint_equal(&b->last.from, &a->at));
    CHECK_EQ(b->last.flags, 0);
    CHECK_EQ(b->last.length, 5);
    letter_send(b, &answer, "you", &b->last.from);
    kit_until(k, &a->count, 1);
    CHECK_STR(a->text, "you");
    kit_until(k, &answer.done, 1);
    CHECK_EQ(ask.done, 1);
    CHECK_EQ(ask.err, 0);
    CHECK_EQ(answer.err, 0);
    CHECK_EQ(answer.done, 1);
    post_close(k, a);
    post_close(k, b);
}

TEST_BACKENDS(udp, there_and_back_in_IPv4) {
    kit k;
    kit_open(&k, backend);
    udp_there_and_back(&k, "127.0.0.1:0");
    kit_close(&k);
}

TEST_BACKENDS(udp, there_and_back_in_IPv6) {
    kit k;
    if (!kit_has(KIT_TCP6)) SKIP("this machine has no IPv6 loopback");
    kit_open(&k, backend);
    udp_there_and_back(&k, "[::1]:0");
    kit_close(&k);
}

/* On a socket of both families an IPv4 peer has the address that it has for itself, in both directions. */
TEST_BACKENDS(udp, a_socket_of_both_families_knows_IPv4_peers_as_such) {
    kit k;
    if (!kit_has(KIT_TCP6)) SKIP("this machine has no IPv6 loopback");
    kit_open(&k, backend);
    post *both = post_open(&k, "*:0"), *four = post_open(&k, "127.0.0.1:0");
    letter to_four = {0}, to_both = {0};
    gy_endpoint at;
    char text[32];
    post_receive(both);
    post_receive(four);
    snprintf(text, sizeof text, "127.0.0.1:%u", gy_endpoint_port(&both->at));
    CHECK_EQ(gy_endpoint_parse(&at, text), 0);
    letter_send(both, &to_four, "from six", &four->at);
    letter_send(four, &to_both, "from four", &at);
    kit_until(&k, &both->count, 1);
    kit_until(&k, &four->count, 1);
    CHECK_STR(both->text, "from four");
    CHECK(gy_endpoint_equal(&both->last.from, &four->at));
    CHECK(gy_endpoint_equal(&four->last.from, &at));
    kit_until(&k, &to_four.done, 1);
    CHECK_EQ(to_four.err, 0);
    gy_endpoint peer;
    CHECK_EQ(gy_udp_connect(&both->udp, &four->at), 0);
    CHECK_EQ(gy_udp_peer(&both->udp, &peer), 0);
    CHECK(gy_endpoint_equal(&peer, &four->at));
    post_close(&k, both);
    post_close(&k, four);
    kit_close(&k);
}

/* ---- what a datagram is ------------------------------------------------------------------------------------------ */

TEST_BACKENDS(udp, empty_and_too_long_datagrams) {
    kit k;
    kit_open(&k, backend);
    post *a = post_open(&k, "127.0.0.1:0"), *b = post_open(&k, "127.0.0.1:0");
    letter empty = {0}, longer = {0};
    char small[8];
    gy_udp_recv_opts opts = {.into = GY_BUF(small), .fn = post_note};
    CHECK_EQ(gy_udp_recv_start(&b->udp, opts), 0);
    letter_send(a, &empty, "", &b->at);
    kit_until(&k, &b->count, 1);
    CHECK_EQ(b->last.buf.len, 0);
    CHECK_EQ(b->last.flags, 0);
    letter_send(a, &longer, "longer than eight", &b->at);
    kit_until(&k, &b->count, 2);
    CHECK_EQ(b->last.buf.len, 8);
    CHECK(b->last.flags & GY_UDP_TRUNCATED);
#ifdef __linux__
    CHECK_EQ(b->last.length, 17);
#endif
    CHECK_EQ(memcmp(small, "longer t", 8), 0);
    kit_until(&k, &longer.done, 1);
    CHECK_EQ(empty.err, 0);
    post_close(&k, a);
    post_close(&k, b);
    kit_close(&k);
}

TEST_BACKENDS(udp, pieces_are_one_datagram) {
    kit k;
    kit_open(&k, backend);
    post *a = post_open(&k, "127.0.0.1:0"), *b = post_open(&k, "127.0.0.1:0");
    letter l = {0};
    gy_addr to;
    char one[] = "one ", two[] = "two ", three[] = "three";
    gy_buf pieces[] = {{one, 4}, {NULL, 0}, {two, 4}, {three, 5}};
    gy_endpoint_text(&b->at, &to);
    post_receive(b);
    gy_dgram_opts opts = {.from = pieces, .count = 4, .addr = to.text, .fn = letter_done};
    CHECK_EQ(gy_udp_sendv(&a->udp, &l.d, opts), 0);
    kit_until(&k, &b->count, 1);
    CHECK_STR(b->text, "one two three");
    kit_until(&k, &l.done, 1);
    CHECK_EQ(l.err, 0);
    post_close(&k, a);
    post_close(&k, b);
    kit_close(&k);
}

static void udp_information(kit *k, const char *addr) {
    post *a = post_open(k, addr), *b = post_open(k, addr);
    letter l = {0};
    gy_udp_recv_opts opts = {.into = GY_BUF(b->slots), .size = UDP_SLOT, .fn = post_note,
                             .info = GY_UDP_LOCAL | GY_UDP_HOPS | GY_UDP_CLASS};
    int err = gy_udp_recv_start(&b->udp, opts);
    if (err == -ENOTSUP) SKIP("this system does not tell the class of IPv4 datagrams");
    CHECK_EQ(err, 0);
    CHECK_EQ(gy_udp_set(&a->udp, GY_UDP_TTL, 37), 0);
    CHECK_EQ(gy_udp_set(&a->udp, GY_UDP_TOS, 0x48), 0);
    letter_send(a, &l, "x", &b->at);
    kit_until(k, &b->count, 1);
    CHECK_EQ(b->last.ttl, 37);
    CHECK_EQ(b->last.tos, 0x48);
    CHECK(b->last.interface > 0);
    char here[64];
    snprintf(here, sizeof here, "%s", addr);
    CHECK_STR(post_text(&b->last.local), here);
    kit_until(k, &l.done, 1);
    post_close(k, a);
    post_close(k, b);
}

TEST_BACKENDS(udp, what_comes_along_with_a_datagram) {
    kit k;
    kit_open(&k, backend);
    udp_information(&k, "127.0.0.1:0");
    if (kit_has(KIT_TCP6)) udp_information(&k, "[::1]:0");
    kit_close(&k);
}

/* ---- connecting -------------------------------------------------------------------------------------------------- */

TEST_BACKENDS(udp, a_connected_socket_hears_its_peer_alone) {
    kit k;
    kit_open(&k, backend);
    post *server = post_open(&k, "127.0.0.1:0"), *other = post_open(&k, "127.0.0.1:0");
    gy_addr to;
    gy_endpoint_text(&server->at, &to);
    post *client = post_open_with(&k, (gy_udp_opts){.peer = to.text});
    letter l = {0}, stray = {0}, answer = {0}, after = {0};
    gy_endpoint peer;
    post_receive(server);
    post_receive(client);
    CHECK_EQ(gy_udp_peer(&client->udp, &peer), 0);
    CHECK(gy_endpoint_equal(&peer, &server->at));
    CHECK_EQ(gy_udp_send(&client->udp, &l.d, GY_BUF(to.text), &server->at, letter_done), -EISCONN);
    letter_send(client, &l, "to whom else", NULL);
    letter_send(other, &stray, "stray", &client->at);
    kit_until(&k, &server->count, 1);
    letter_send(server, &answer, "answer", &server->last.from);
    kit_until(&k, &client->count, 1);
    CHECK_STR(client->text, "answer");
    kit_turns(&k, 3);
    CHECK_EQ(client->count, 1);
    CHECK_EQ(gy_udp_connect(&client->udp, NULL), 0);
    CHECK_EQ(gy_udp_peer(&client->udp, &peer), -ENOTCONN);
    CHECK_EQ(gy_udp_send(&client->udp, &after.d, GY_BUF(to.text), NULL, letter_done), -EDESTADDRREQ);
    letter_send(client, &after, "again", &other->at);
    post_receive(other);
    kit_until(&k, &other->count, 1);
    kit_until(&k, &after.done, 1);
    post_close(&k, client);
    post_close(&k, server);
    post_close(&k, other);
    kit_close(&k);
}

TEST_BACKENDS(udp, an_adopted_descriptor) {
    kit k;
    kit_open(&k, backend);
    post *a = post_open(&k, "127.0.0.1:0");
    post b = {.count = 0};
    letter l = {0};
    int ends[2], fd = socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    CHECK_EQ(bind(fd, (struct sockaddr *)&in, sizeof in), 0);
    CHECK_EQ(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends), 0);
    CHECK_EQ(gy_udp_adopt(k.loop, &b.udp, -1), -EBADF);
    CHECK_EQ(gy_udp_adopt(k.loop, &b.udp, ends[0]), -EAFNOSUPPORT);
    close(ends[0]);
    close(ends[1]);
    CHECK_EQ(pipe(ends), 0);
    CHECK_EQ(gy_udp_adopt(k.loop, &b.udp, ends[0]), -ENOTSOCK);
    close(ends[0]);
    close(ends[1]);
    int tcp = socket(AF_INET, SOCK_STREAM, 0);
    CHECK_EQ(gy_udp_adopt(k.loop, &b.udp, tcp), -EPROTOTYPE);
    close(tcp);
    CHECK_EQ(gy_udp_adopt(k.loop, &b.udp, fd), 0);
    CHECK_EQ(gy_udp_adopt(k.loop, &b.udp, fd), -EALREADY);
    CHECK_EQ(gy_udp_fd(&b.udp), fd);
    CHECK(fcntl(fd, F_GETFL) & O_NONBLOCK);
    CHECK_EQ(gy_udp_local(&b.udp, &b.at), 0);
    post_receive(&b);
    letter_send(a, &l, "adopted", &b.at);
    kit_until(&k, &b.count, 1);
    CHECK_STR(b.text, "adopted");
    kit_until(&k, &l.done, 1);
    gy_udp_close(&b.udp, post_closed);
    kit_until(&k, &b.closed, 1);
    CHECK_EQ(gy_udp_fd(&b.udp), -1);
    post_close(&k, a);
    kit_close(&k);
}

/* ---- closing, stopping, staying alive ---------------------------------------------------------------------------- */

static void udp_stop_at_once(gy_udp *udp, int err, const gy_udp_msg *msgs, unsigned count) {
    post_note(udp, err, msgs, count);
    gy_udp_recv_stop(udp);
}

TEST_BACKENDS(udp, stopping_loses_nothing_and_is_at_once) {
    kit k;
    kit_open(&k, backend);
    post *a = post_open(&k, "127.0.0.1:0"), *b = post_open(&k, "127.0.0.1:0");
    letter l[40] = {0};
    for (int i = 0; i < 40; i++) letter_send(a, &l[i], "x", &b->at);
    kit_until(&k, &l[39].done, 1);
    gy_udp_recv_opts opts = {.into = {b->slots, UDP_SLOT}, .fn = udp_stop_at_once};
    for (int i = 1; i <= 40; i++) {
        CHECK_EQ(gy_udp_recv_start(&b->udp, opts), 0);
        CHECK_EQ(gy_udp_recv_start(&b->udp, opts), -EALREADY);
        if (i == 20) { /* stopped before its callback: it does not come */
            gy_udp_recv_stop(&b->udp);
            kit_turns(&k, 3);
            CHECK_EQ(b->calls, i - 1);
            CHECK_EQ(gy_udp_recv_start(&b->udp, opts), 0);
        }
        kit_until(&k, &b->count, i);
        kit_turns(&k, 2);
        CHECK_EQ(b->count, i);
    }
    post_close(&k, a);
    post_close(&k, b);
    kit_close(&k);
}

static void udp_close_at_once(gy_udp *udp, int err, const gy_udp_msg *msgs, unsigned count) {
    post_note(udp, err, msgs, count);
    gy_udp_close(udp, post_closed);
    gy_udp_close(udp, NULL); /* ignored */
}

TEST_BACKENDS(udp, closing_inside_the_callback) {
    kit k;
    kit_open(&k, backend);
    post *a = post_open(&k, "127.0.0.1:0"), *b = post_open(&k, "127.0.0.1:0");
    letter l[3] = {0}, late = {0};
    gy_udp_recv_opts opts = {.into = {b->slots, UDP_SLOT}, .fn = udp_close_at_once};
    CHECK_EQ(gy_udp_recv_start(&b->udp, opts), 0);
    for (int i = 0; i < 3; i++) letter_send(a, &l[i], "x", &b->at);
    kit_until(&k, &b->closed, 1);
    CHECK_EQ(b->calls, 1);
    CHECK_EQ(gy_udp_send(&b->udp, &late.d, GY_BUF(b->text), &a->at, letter_done), GY_ECLOSED);
    CHECK_EQ(gy_udp_recv_start(&b->udp, opts), GY_ECLOSED);
    kit_until(&k, &l[2].done, 1);
    free(b);
    post_close(&k, a);
    kit_close(&k);
}

typedef struct farewell {
    gy_udp udp;
    letter l[5];
    int order, closed;
} farewell;

static void farewell_closed(gy_udp *udp) {
    farewell *f = GY_OF(udp, farewell, udp);
    f->closed = ++f->order;
}

TEST_BACKENDS(udp, what_waits_is_cancelled_before_the_close) {
    kit k;
    farewell f = {.order = 0};
    gy_endpoint to;
    kit_open(&k, backend);
    post *b = post_open(&k, "127.0.0.1:0");
    to = b->at;
    CHECK_EQ(gy_udp_open(k.loop, &f.udp, (gy_udp_opts){.addr = "127.0.0.1:0"}), 0);
    for (int i = 0; i < 5; i++) {
        f.l[i].order = &f.order;
        CHECK_EQ(gy_udp_send(&f.udp, &f.l[i].d, (gy_buf){f.l, 10}, &to, letter_done), 0);
        CHECK_EQ(gy_udp_send(&f.udp, &f.l[i].d, (gy_buf){f.l, 10}, &to, letter_done), -EALREADY);
    }
    CHECK_EQ(gy_udp_queued(&f.udp), 40); /* the first one left at once */
    CHECK_EQ(gy_loop_free(k.loop), -EBUSY);
    gy_udp_close(&f.udp, farewell_closed);
    CHECK_EQ(f.order, 0);
    kit_until(&k, &f.closed, 1);
    CHECK_EQ(f.closed, 6);
    for (int i = 0; i < 5; i++) {
        CHECK_EQ(f.l[i].place, i);
        CHECK_EQ(f.l[i].err, i ? GY_ECANCELED : 0);
    }
    post_close(&k, b);
    kit_close(&k);
}

TEST_BACKENDS(udp, an_unreferenced_socket_keeps_nobody) {
    kit k;
    kit_open(&k, backend);
    post *a = post_open(&k, "127.0.0.1:0");
    post_receive(a);
    CHECK(gy_loop_alive(k.loop));
    gy_udp_unref(&a->udp);
    CHECK_EQ(gy_loop_run(k.loop), 0);
    gy_udp_ref(&a->udp);
    CHECK(gy_loop_alive(k.loop));
    post_close(&k, a);
    kit_close(&k);
}

/* ---- what is refused --------------------------------------------------------------------------------------------- */

TEST_BACKENDS(udp, bad_arguments_start_nothing) {
    kit k;
    kit_open(&k, backend);
    post *a = post_new();
    letter l = {0};
    gy_endpoint none = {0}, six;
    gy_buf bad = {NULL, 4}, good = GY_BUF(a->text), two[2] = {good, good};
    const char *const texts[] = {"", "127.0.0.1", "localhost:1", "1.2.3.4:99999", "[::1]", "::1:80"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        CHECK_EQ(gy_udp_open(k.loop, &a->udp, (gy_udp_opts){.addr = texts[i]}), GY_EADDRESS);
        CHECK_EQ(gy_udp_open(k.loop, &a->udp, (gy_udp_opts){.peer = texts[i]}), GY_EADDRESS);
    }
    CHECK_EQ(gy_udp_open(k.loop, &a->udp, (gy_udp_opts){.send_buffer = -1}), -EINVAL);
    CHECK_EQ(gy_udp_send(&a->udp, &l.d, good, &none, letter_done), GY_ECLOSED);
    CHECK_EQ(gy_udp_open(k.loop, &a->udp, (gy_udp_opts){.addr = "127.0.0.1:0"}), 0);
    CHECK_EQ(gy_udp_open(k.loop, &a->udp, (gy_udp_opts){.addr = "127.0.0.1:0"}), -EALREADY);
    CHECK_EQ(gy_udp_local(&a->udp, &a->at), 0);
    gy_udp second = {0};
    CHECK_EQ(gy_udp_open(k.loop, &second, (gy_udp_opts){.addr = post_text(&a->at)}), -EADDRINUSE);
    CHECK(!gy_udp_is_open(&second));
    CHECK_EQ(gy_endpoint_parse(&six, "[::1]:1"), 0);
    CHECK_EQ(gy_udp_send(&a->udp, &l.d, good, &six, letter_done), -EAFNOSUPPORT);
    CHECK_EQ(gy_udp_connect(&a->udp, &six), -EAFNOSUPPORT);
    CHECK_EQ(gy_udp_send(&a->udp, &l.d, good, &none, letter_done), -EINVAL);
    CHECK_EQ(gy_udp_send(&a->udp, &l.d, good, NULL, letter_done), -EDESTADDRREQ);
    CHECK_EQ(gy_udp_send(&a->udp, &l.d, good, &a->at, NULL), -EINVAL);
    CHECK_EQ(gy_udp_send(&a->udp, &l.d, bad, &a->at, letter_done), -EINVAL);
    CHECK_EQ(gy_udp_try_send(&a->udp, bad, &a->at), -EINVAL);
    gy_dgram_opts v = {.from = two, .count = 2, .to = &a->at, .segment = 4, .fn = letter_done};
    CHECK_EQ(gy_udp_sendv(&a->udp, &l.d, v), -EINVAL);
    v.segment = 0;
    v.count = 0;
    CHECK_EQ(gy_udp_sendv(&a->udp, &l.d, v), -EINVAL);
    v.count = 2000;
    CHECK_EQ(gy_udp_sendv(&a->udp, &l.d, v), -EINVAL);
    v = (gy_dgram_opts){.from = two, .count = 2, .addr = "nowhere", .fn = letter_done};
    CHECK_EQ(gy_udp_sendv(&a->udp, &l.d, v), GY_EADDRESS);
    gy_udp_recv_opts r = {.into = good, .fn = NULL};
    CHECK_EQ(gy_udp_recv_start(&a->udp, r), -EINVAL);
    r = (gy_udp_recv_opts){.into = good, .size = good.len + 1, .fn = post_note};
    CHECK_EQ(gy_udp_recv_start(&a->udp, r), -EINVAL);
    r = (gy_udp_recv_opts){.into = good, .info = 8, .fn = post_note};
    CHECK_EQ(gy_udp_recv_start(&a->udp, r), -EINVAL);
    r = (gy_udp_recv_opts){.into = bad, .fn = post_note};
    CHECK_EQ(gy_udp_recv_start(&a->udp, r), -EINVAL);
    kit_turns(&k, 3);
    CHECK_EQ(l.done, 0);
    CHECK_EQ(a->calls, 0);
    post_close(&k, a);
    kit_close(&k);
}
