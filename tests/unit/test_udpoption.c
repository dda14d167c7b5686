/* SPDX-License-Identifier: ISC */
/* Options: their ranges, and that the kernel has what was set. Multicast is in tests/loop/udp_multicast.c. */
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "harness.h"
#include "net/udp.h"

static int option_get(const gy_udp *u, int level, int option) {
    int value = 0;
    socklen_t len = sizeof value;
    CHECK_EQ(getsockopt(gy_udp_fd(u), level, option, &value, &len), 0);
    return value;
}

TEST(udpoption, values_arrive_or_are_refused) {
    static const struct {
        gy_udp_opt option;
        int least, most, level, name;
    } rows[] = {
        {GY_UDP_TTL, 1, 255, IPPROTO_IP, IP_TTL},
        {GY_UDP_TOS, 0, 252, IPPROTO_IP, IP_TOS},
        {GY_UDP_BROADCAST, 0, 1, SOL_SOCKET, SO_BROADCAST},
        {GY_UDP_MULTICAST_TTL, 0, 255, 0, 0},
        {GY_UDP_MULTICAST_LOOP, 0, 1, 0, 0},
        {GY_UDP_DONT_FRAGMENT, 0, 1, 0, 0},
    };
    gy_loop *loop;
    gy_udp u = {0};
    CHECK_EQ(gy_udp_set(&u, GY_UDP_TTL, 1), GY_ECLOSED);
    CHECK_EQ(gy_loop_new(&loop, (gy_loop_opts){.backend = "sim"}), 0);
    CHECK_EQ(gy_udp_open(loop, &u, (gy_udp_opts){.addr = "127.0.0.1:0", .broadcast = true}), 0);
    CHECK(option_get(&u, SOL_SOCKET, SO_BROADCAST) != 0);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        CHECK_EQ(gy_udp_set(&u, rows[i].option, rows[i].least - 1), -EINVAL);
        CHECK_EQ(gy_udp_set(&u, rows[i].option, rows[i].most + 4), -EINVAL);
        for (int value = rows[i].least; value <= rows[i].most; value += rows[i].most - rows[i].least) {
            int err = gy_udp_set(&u, rows[i].option, value);
            if (err == -ENOTSUP && rows[i].option == GY_UDP_DONT_FRAGMENT) continue;
            CHECK_EQ(err, 0);
            if (rows[i].level == SOL_SOCKET) CHECK_EQ(!!option_get(&u, rows[i].level, rows[i].name), value);
            else if (rows[i].name) CHECK_EQ(option_get(&u, rows[i].level, rows[i].name), value);
        }
    }
    CHECK_EQ(gy_udp_set(&u, GY_UDP_RECV_BUFFER, 0), -EINVAL);
    CHECK_EQ(gy_udp_set(&u, GY_UDP_RECV_BUFFER, 100000), 0);
    CHECK(option_get(&u, SOL_SOCKET, SO_RCVBUF) >= 100000);
    CHECK_EQ(gy_udp_set(&u, GY_UDP_SEND_BUFFER, 50000), 0);
    CHECK_EQ(gy_udp_set(&u, (gy_udp_opt)99, 1), -EINVAL);
    gy_udp_close(&u, NULL);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(gy_loop_free(loop), 0);
}
