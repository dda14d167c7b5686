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
