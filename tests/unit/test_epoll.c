/* SPDX-License-Identifier: ISC */
/* What only epoll has: the fall-back to milliseconds, a registration that outlives its number, and the end of a
 * connection as an edge. The contract is tested in test_backend.c. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "backends/backend.h"
#include "harness.h"
#include "refuse.h"
#include "sys/clock.h"

static gyi_poller p;
static gyi_sys calls;
static gyi_ready got[8];

static void begin(int pair[2]) {
    p = (gyi_poller){.ops = &gyi_backend_epoll, .sys = &calls, .fd = -1};
    CHECK_EQ(p.ops->open(&p), 0);
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
}

static void end(int pair[2]) {
    p.ops->close(&p);
    CHECK_EQ(p.fd, -1);
    close(pair[0]);
    close(pair[1]);
}

static uint64_t token_of(int fd) { return UINT64_C(1) << 32 | (uint32_t)fd; }

TEST(epoll, capabilities_and_flags) {
    int pair[2];
    begin(pair);
    CHECK_EQ(p.caps & 7, GYI_CAP_EDGE | GYI_CAP_FD | GYI_CAP_CLOSE);
    CHECK(fcntl(p.fd, F_GETFD) & FD_CLOEXEC);
    end(pair);
}

TEST(epoll, waits_in_rounded_up_milliseconds_where_the_kernel_knows_no_nanoseconds) {
    int pair[2];
    begin(pair);
    p.caps = GYI_CAP_EDGE | GYI_CAP_FD | GYI_CAP_CLOSE; /* as after the first refusal */
    static const gy_ns limit[] = {1, GY_US(999), GY_US(1001), GY_MS(2)};
    for (size_t i = 0; i < 4; i++) {
        gy_ns from = gyi_clock_mono();
        CHECK_EQ(p.ops->wait(&p, got, 8, limit[i]), 0);
        CHECK(gyi_clock_mono() - from >= limit[i]);
    }
    end(pair);
}

/* The number is registered already, by a duplicate's other life: adding it takes it over. */
TEST(epoll, add_of_a_number_that_is_registered_takes_it_over) {
    int pair[2];
    begin(pair);
    CHECK_EQ(p.ops->set(&p, pair[0], token_of(pair[0]), 0, GY_READABLE), 0);
    CHECK_EQ(p.ops->set(&p, pair[0], UINT64_C(9) << 32, 0, GY_WRITABLE), 0);
    CHECK_EQ(p.ops->wait(&p, got, 8, 0), 1);
    CHECK(got[0].token == UINT64_C(9) << 32);
    CHECK_EQ(got[0].events, GY_WRITABLE);
    end(pair);
}

TEST(epoll, change_of_what_is_not_registered_is_ENOENT) {
    int pair[2];
    begin(pair);
    CHECK_EQ(p.ops->set(&p, pair[0], token_of(pair[0]), GY_WRITABLE, GY_READABLE), -ENOENT);
    end(pair);
}

TEST(epoll, an_edge_watch_is_told_of_a_half_closed_peer) {
    int pair[2];
    begin(pair);
    CHECK_EQ(p.ops->set(&p, pair[0], token_of(pair[0]), 0, GY_READABLE | GY_EDGE), 0);
    CHECK_EQ(shutdown(pair[1], SHUT_WR), 0);
    CHECK_EQ(p.ops->wait(&p, got, 8, 0), 1);
    CHECK(got[0].events & GYI_EOF);
    CHECK(got[0].events & GY_READABLE);
    end(pair);
}

TEST(epoll, open_reports_its_failure) {
    p = (gyi_poller){.ops = &gyi_backend_epoll, .sys = &calls, .fd = -1};
    refuse(GYI_SYS_POLLER, -EMFILE);
    int err = p.ops->open(&p);
    refuse_nothing();
    CHECK_EQ(err, -EMFILE);
    CHECK_EQ(p.fd, -1);
}
