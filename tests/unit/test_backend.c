/* SPDX-License-Identifier: ISC */
/* The contract of backends/backend.h, called directly, once per backend: what the loop relies on whichever it has.
 * What only one backend has is in its own file. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "backends/backend.h"
#include "harness.h"
#include "refuse.h"
#include "sys/clock.h"

enum { CAP = 16 };

static gyi_poller p;
static gyi_sys calls;
static gy_alloc memory;
static gyi_ready got[CAP];

static uint64_t token_of(int fd, unsigned generation) { return (uint64_t)generation << 32 | (uint32_t)fd; }

static void begin(const char *backend) {
    CHECK(gyi_alloc_init(&memory, (gy_alloc){.alloc = NULL}));
    memset(&calls, 0, sizeof calls);
    p = (gyi_poller){.ops = gyi_backend_find(backend), .sys = &calls, .alloc = &memory, .fd = -1};
    CHECK(p.ops != NULL);
    CHECK_EQ(p.ops->open(&p), 0);
}

static int set(int fd, unsigned was, unsigned want) { return p.ops->set(&p, fd, token_of(fd, 1), was, want); }
static int look(void) { return p.ops->wait(&p, got, CAP, 0); }
static gy_ns now(void) { return p.ops->now ? p.ops->now(&p) : gyi_clock_mono(); }

static void end(int pair[2]) {
    p.ops->close(&p);
    close(pair[0]);
    close(pair[1]);
}

static void make_pair(int pair[2]) { CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0); }

TEST_BACKENDS(backend, level_add_change_drop) {
    int pair[2];
    begin(backend);
    make_pair(pair);
    CHECK_EQ(set(pair[0], 0, GY_READABLE), 0);
    CHECK_EQ(look(), 0);
    CHECK_EQ(write(pair[1], "x", 1), 1);
    for (int i = 0; i < 3; i++) {
        CHECK_EQ(look(), 1);
        CHECK(got[0].token == token_of(pair[0], 1));
        CHECK_EQ(got[0].events, GY_READABLE);
    }
    CHECK_EQ(set(pair[0], GY_READABLE, GY_WRITABLE), 0);
    CHECK_EQ(look(), 1);
    CHECK_EQ(got[0].events, GY_WRITABLE);
    CHECK_EQ(set(pair[0], GY_WRITABLE, GY_WRITABLE | GY_READABLE), 0);
    int n = look();
    unsigned all = 0;
    CHECK(n == 1 || n == 2); /* one descriptor may come twice, with different events */
    for (int i = 0; i < n; i++) all |= got[i].events;
    CHECK_EQ(all, GY_READABLE | GY_WRITABLE);
    CHECK_EQ(set(pair[0], GY_WRITABLE | GY_READABLE, 0), 0);
    CHECK_EQ(look(), 0);
    CHECK(calls.count[GYI_SYS_WAIT] >= 6);
    end(pair);
}

TEST_BACKENDS(backend, the_token_is_the_one_given_last) {
    int pair[2];
    begin(backend);
    make_pair(pair);
    CHECK_EQ(write(pair[1], "x", 1), 1);
    CHECK_EQ(set(pair[0], 0, GY_READABLE), 0);
    CHECK_EQ(set(pair[0], GY_READABLE, 0), 0);
    CHECK_EQ(p.ops->set(&p, pair[0], token_of(pair[0], 77), 0, GY_READABLE), 0);
    CHECK_EQ(look(), 1);
    CHECK(got[0].token == token_of(pair[0], 77));
    end(pair);
}

TEST_BACKENDS(backend, edge_where_it_says_so) {
    int pair[2];
    begin(backend);
    make_pair(pair);
    CHECK_EQ(set(pair[0], 0, GY_READABLE | GY_EDGE), 0);
    CHECK_EQ(write(pair[1], "x", 1), 1);
    CHECK_EQ(look(), 1);
    CHECK_EQ(look(), p.caps & GYI_CAP_EDGE ? 0 : 1);
    CHECK_EQ(write(pair[1], "y", 1), 1);
    CHECK_EQ(look(), 1);
    CHECK_EQ(set(pair[0], GY_READABLE | GY_EDGE, GY_READABLE), 0);
    CHECK_EQ(look(), 1); /* a level again */
    CHECK_EQ(look(), 1);
    end(pair);
}

TEST_BACKENDS(backend, hang_up) {
    int pair[2];
    begin(backend);
    make_pair(pair);
    CHECK_EQ(set(pair[0], 0, GY_WRITABLE | GY_READABLE), 0);
    close(pair[1]);
    int n = look();
    unsigned all = 0;
    CHECK(n >= 1);
    for (int i = 0; i < n; i++) all |= got[i].events;
    CHECK(all & GY_HANGUP);
    CHECK(all & GY_READABLE);
    pair[1] = dup(pair[0]);
    end(pair);
}

/* More is ready than fits: what is left is reported by the next waits, and nobody is left out. */
TEST_BACKENDS(backend, a_small_answer_goes_round) {
    int pair[12][2], seen[12] = {0};
    begin(backend);
    for (int i = 0; i < 12; i++) {
        make_pair(pair[i]);
        CHECK_EQ(write(pair[i][1], "x", 1), 1);
        CHECK_EQ(set(pair[i][0], 0, GY_READABLE), 0);
    }
    for (int round = 0; round < 6; round++) {
        CHECK_EQ(p.ops->wait(&p, got, 4, 0), 4);
        for (int j = 0; j < 4; j++)
            for (int i = 0; i < 12; i++) seen[i] += got[j].token == token_of(pair[i][0], 1);
    }
    for (int i = 0; i < 12; i++) CHECK_EQ(seen[i], 2);
    for (int i = 1; i < 12; i++) {
        close(pair[i][0]);
        close(pair[i][1]);
    }
    end(pair[0]);
}

TEST_BACKENDS(backend, a_wait_is_never_shorter_than_its_limit) {
    static const gy_ns limit[] = {1, GY_US(1), GY_US(100), GY_US(999), GY_US(1001), GY_MS(3) + 1};
    int pair[2];
    begin(backend);
    make_pair(pair);
    CHECK_EQ(set(pair[0], 0, GY_READABLE), 0);
    for (size_t i = 0; i < sizeof limit / sizeof *limit; i++) {
        gy_ns from = now();
        CHECK_EQ(p.ops->wait(&p, got, CAP, limit[i]), 0);
        CHECK(now() - from >= limit[i]);
    }
    end(pair);
}

TEST_BACKENDS(backend, what_is_ready_ends_a_wait_at_once) {
    int pair[2];
    begin(backend);
    make_pair(pair);
    CHECK_EQ(write(pair[1], "x", 1), 1);
    CHECK_EQ(set(pair[0], 0, GY_READABLE), 0);
    gy_ns from = now();
    CHECK_EQ(p.ops->wait(&p, got, CAP, GY_S(3600)), 1);
    CHECK_EQ(p.ops->wait(&p, got, CAP, GY_FOREVER), 1);
    CHECK(now() - from < GY_S(3600));
    end(pair);
}

static void ignore(int signo) { (void)signo; }

TEST_BACKENDS(backend, a_signal_ends_a_wait_with_0) {
    int pair[2];
    struct sigaction action, before;
    struct itimerval soon = {{0, 5000}, {0, 5000}}, never = {{0, 0}, {0, 0}};
    memset(&action, 0, sizeof action);
    action.sa_handler = ignore;
    begin(backend);
    make_pair(pair);
    CHECK_EQ(set(pair[0], 0, GY_READABLE), 0);
    CHECK_EQ(sigaction(SIGALRM, &action, &before), 0);
    CHECK_EQ(setitimer(ITIMER_REAL, &soon, NULL), 0);
    int n = p.ops->wait(&p, got, CAP, GY_FOREVER);
    CHECK_EQ(setitimer(ITIMER_REAL, &never, NULL), 0);
    CHECK_EQ(sigaction(SIGALRM, &before, NULL), 0);
    CHECK_EQ(n, 0);
    end(pair);
}

TEST_BACKENDS(backend, a_closed_descriptor_is_refused_and_may_be_forgotten) {
    int pair[2];
    begin(backend);
    make_pair(pair);
    int gone = dup(pair[0]);
    CHECK(gone >= 0);
    close(gone);
    CHECK_EQ(set(gone, 0, GY_READABLE), -EBADF);
    CHECK_EQ(look(), 0);
    CHECK_EQ(set(pair[0], 0, GY_READABLE), 0);
    close(pair[0]);
    (void)set(pair[0], GY_READABLE, 0); /* whatever the kernel says to that */
    CHECK_EQ(look(), 0);
    pair[0] = dup(pair[1]);
    end(pair);
}

TEST_BACKENDS(backend, a_file_is_refused_or_always_ready) {
    int pair[2] = {open("/", O_RDONLY), open("/", O_RDONLY)};
    CHECK(pair[0] >= 0);
    begin(backend);
    int err = set(pair[0], 0, GY_READABLE);
    CHECK_EQ(err, strcmp(backend, "poll") && strcmp(backend, "sim") ? -EPERM : 0);
    CHECK_EQ(look(), err ? 0 : 1);
    end(pair);
}

TEST_BACKENDS(backend, reopen_forgets_what_was_registered) {
    int pair[2];
    begin(backend);
    make_pair(pair);
    CHECK_EQ(write(pair[1], "x", 1), 1);
    CHECK_EQ(set(pair[0], 0, GY_READABLE), 0);
    int old = p.fd;
    CHECK_EQ(p.ops->reopen(&p), 0);
    CHECK_EQ(look(), 0);
    CHECK_EQ(set(pair[0], 0, GY_READABLE), 0);
    CHECK_EQ(look(), 1);
    if (p.fd != old) close(old); /* kqueue does not close what a child would not have */
    end(pair);
}

TEST_BACKENDS(backend, every_failure_is_reported) {
    int pair[2];
    begin(backend);
    make_pair(pair);
    refuse(GYI_SYS_WAIT, -ENOMEM);
    int wait = look();
    refuse(GYI_SYS_CHANGE, -ENOMEM);
    int change = set(pair[0], 0, GY_READABLE);
    refuse_nothing();
    CHECK_EQ(wait, -ENOMEM);
    CHECK_EQ(change, -ENOMEM);
    CHECK_EQ(set(pair[0], 0, GY_READABLE), 0);
    CHECK_EQ(look(), 0);
    end(pair);
}
