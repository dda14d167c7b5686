/* SPDX-License-Identifier: ISC */
/* The queue of errors: what belongs there, and who has it. The rest of it is in udp_send.c. */
#include "udp.h"

/* What this machine refuses is the datagram's own error, and no answer of the network to anything. */
TEST_BACKENDS(udp_errors, path_errors_are_those_of_others) {
    static char big[65520];
    kit k;
    letter l = {0};
    kit_open(&k, backend);
    post *a = post_new(), *b = post_open(&k, "127.0.0.1:0");
    int err = gy_udp_open(k.loop, &a->udp, (gy_udp_opts){.addr = "127.0.0.1:0", .path_errors = true});
    if (err == -ENOTSUP) SKIP("this system keeps no errors");
    CHECK_EQ(err, 0);
    post_receive(a);
    CHECK_EQ(gy_udp_send(&a->udp, &l.d, GY_BUF(big), &b->at, letter_done), 0);
    kit_until(&k, &l.done, 1);
    CHECK_EQ(l.err, -EMSGSIZE);
    kit_turns(&k, 20);
    CHECK_EQ(a->errors, 0);
    post_close(&k, a);
    post_close(&k, b);
    kit_close(&k);
}

static uint64_t udp_events(kit *k) {
    gy_loop_stats stats;
    gy_loop_stats_get(k->loop, &stats);
    return stats.io;
}

/* Errors are kept for a socket that somebody else has asked to. They are told here too, and do not pile up. */
TEST_BACKENDS(udp_errors, path_errors_of_an_adopted_socket) {
    kit k;
    letter l = {0};
    kit_open(&k, backend);
    gy_endpoint nobody = post_nobody(&k);
    post *a = post_new(), *first = post_new();
    int err = gy_udp_open(k.loop, &first->udp, (gy_udp_opts){.addr = "127.0.0.1:0", .path_errors = true});
    if (err == -ENOTSUP) SKIP("this system keeps no errors");
    CHECK_EQ(err, 0);
    CHECK_EQ(gy_udp_adopt(k.loop, &a->udp, dup(gy_udp_fd(&first->udp))), 0);
    post_close(&k, first);
    post_receive(a);
    letter_send(a, &l, "first", &nobody);
    kit_until(&k, &a->errors, 1);
    CHECK_EQ(a->err, -ECONNREFUSED);
    CHECK(a->last.flags & GY_UDP_RETURNED);
    CHECK(gy_endpoint_equal(&a->last.from, &nobody));
    kit_turns(&k, 5);
    CHECK_EQ(a->errors, 1);
    uint64_t before = udp_events(&k);
    kit_turns(&k, 20);
    CHECK_EQ(udp_events(&k), before);
    post_close(&k, a);
    kit_close(&k);
}
