/* SPDX-License-Identifier: ISC */
/* What only kqueue has: two filters for one descriptor, the wake-up as a user event, and no priority data. Empty where
 * there is no kqueue. The contract is tested in test_backend.c. */
#include "backends/backend.h"
#include "harness.h"

#if defined(GYI_HAVE_KQUEUE) && GYI_HAVE_KQUEUE

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static gyi_poller p;
static gyi_sys calls;
static gyi_ready got[8];

static void begin(int pair[2]) {
    p = (gyi_poller){.ops = &gyi_backend_kqueue, .sys = &calls, .fd = -1};
    CHECK_EQ(p.ops->open(&p), 0);
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
}

static void end(int pair[2]) {
    p.ops->close(&p);
    CHECK_EQ(p.fd, -1);
    close(pair[0]);
    close(pair[1]);
}

static uint64_t token_of(int fd) { return UINT64_C(5) << 32 | (uint32_t)fd; }

TEST(kqueue, a_wake_up_is_told_once_with_its_own_token) {
    int pair[2];
    begin(pair);
    CHECK_EQ(p.ops->wake(&p), 0);
    CHECK_EQ(p.ops->wake(&p), 0);
    CHECK_EQ(p.ops->wait(&p, got, 8, GY_FOREVER), 1);
    CHECK(got[0].token == GYI_TOKEN_WAKE);
    CHECK_EQ(p.ops->wait(&p, got, 8, 0), 0);
    end(pair);
}

TEST(kqueue, reading_and_writing_come_as_two_with_one_token) {
    int pair[2];
    begin(pair);
    CHECK_EQ(write(pair[1], "x", 1), 1);
    CHECK_EQ(p.ops->set(&p, pair[0], token_of(pair[0]), 0, GY_READABLE | GY_WRITABLE), 0);
    CHECK_EQ(p.ops->wait(&p, got, 8, 0), 2);
    CHECK(got[0].token == token_of(pair[0]) && got[1].token == token_of(pair[0]));
    CHECK_EQ(got[0].events | got[1].events, GY_READABLE | GY_WRITABLE);
    CHECK_EQ(p.ops->set(&p, pair[0], token_of(pair[0]), GY_READABLE | GY_WRITABLE, GY_WRITABLE), 0);
    CHECK_EQ(p.ops->wait(&p, got, 8, 0), 1);
    CHECK_EQ(got[0].events, GY_WRITABLE);
    end(pair);
}

TEST(kqueue, priority_data_is_not_known) {
    int pair[2];
    begin(pair);
    CHECK(!(p.caps & GYI_CAP_PRIORITY)); /* so the loop refuses whoever asks */
    CHECK_EQ(p.ops->set(&p, pair[0], token_of(pair[0]), 0, GY_READABLE | GY_PRIORITY), 0);
    CHECK_EQ(p.ops->set(&p, pair[0], token_of(pair[0]), GY_READABLE, 0), 0);
    end(pair);
}

static int refuse_second(gyi_syscall kind) {
    static int opened;
    return kind == GYI_SYS_POLLER && ++opened == 2 ? -ENOMEM : 0;
}

TEST(kqueue, open_leaves_nothing_behind_when_it_fails) {
    p = (gyi_poller){.ops = &gyi_backend_kqueue, .sys = &calls, .fd = -1};
    int before = dup(0);
    close(before);
    gyi_sys_fault = refuse_second;
    int err = p.ops->open(&p);
    gyi_sys_fault = NULL;
    CHECK_EQ(err, -ENOMEM);
    CHECK_EQ(p.fd, -1);
    int after = dup(0);
    close(after);
    CHECK_EQ(before, after);
}

#endif
