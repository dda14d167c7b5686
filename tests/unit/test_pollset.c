/* SPDX-License-Identifier: ISC */
/* The list that poll() is given: it stays dense whatever is removed, grows, goes round, and tells of closed
 * descriptors. */
#include <errno.h>
#include <unistd.h>

#include "backends/pollset.h"
#include "harness.h"

static gyi_sys calls;
static gy_alloc memory;
static gyi_poller p = {.sys = &calls, .alloc = &memory, .fd = -1};

static void check_set(const gyi_pollset *set) {
    uint32_t listed = 0;
    for (uint32_t fd = 0; fd < set->index_cap; fd++) {
        if (!set->index[fd]) continue;
        listed++;
        CHECK(set->index[fd] <= set->count);
        CHECK_EQ(set->at[set->index[fd] - 1].fd, fd);
        CHECK_EQ((uint32_t)set->token[set->index[fd] - 1], fd);
    }
    CHECK_EQ(listed, set->count);
}

TEST(pollset, stays_dense) {
    enum { MANY = 40 };
    gyi_pollset set = {.count = 0};
    gyi_ready got[MANY];
    int fd[MANY];
    CHECK(gyi_alloc_init(&memory, (gy_alloc){.alloc = NULL}));
    for (int i = 0; i < MANY; i++) {
        fd[i] = dup(1);
        CHECK(fd[i] >= 0);
        CHECK_EQ(gyi_pollset_set(&p, &set, fd[i], (uint64_t)fd[i], GY_READABLE), 0);
    }
    check_set(&set);
    CHECK_EQ(gyi_pollset_set(&p, &set, fd[3], (uint64_t)fd[3], GY_WRITABLE), 0); /* a change, not a second one */
    CHECK_EQ(set.count, MANY);
    for (int i = 0; i < MANY; i += 2) CHECK_EQ(gyi_pollset_set(&p, &set, fd[i], 0, 0), 0);
    check_set(&set);
    CHECK_EQ(set.count, MANY / 2);
    CHECK_EQ(gyi_pollset_set(&p, &set, fd[0], 0, 0), 0);      /* dropped twice */
    CHECK_EQ(gyi_pollset_set(&p, &set, 1 << 20, 0, 0), 0);    /* never there */
    CHECK_EQ(gyi_pollset_set(&p, &set, 1 << 27, 0, GY_READABLE), -EBADF);
    check_set(&set);
    CHECK(gyi_pollset_wait(&p, &set, got, MANY, 0) >= 0);
    for (int i = 1; i < MANY; i += 2) CHECK_EQ(gyi_pollset_set(&p, &set, fd[i], 0, 0), 0);
    CHECK_EQ(set.count, 0);
    CHECK_EQ(gyi_pollset_wait(&p, &set, got, MANY, 0), 0);
    gyi_pollset_free(&set, &memory);
    CHECK(set.at == NULL);
    for (int i = 0; i < MANY; i++) close(fd[i]);
}

TEST(pollset, reports_a_closed_descriptor_as_closed) {
    gyi_pollset set = {.count = 0};
    gyi_ready got[4];
    int ends[2];
    CHECK(gyi_alloc_init(&memory, (gy_alloc){.alloc = NULL}));
    CHECK_EQ(pipe(ends), 0);
    CHECK_EQ(gyi_pollset_set(&p, &set, ends[0], 42, GY_READABLE), 0);
    close(ends[0]);
    CHECK_EQ(gyi_pollset_wait(&p, &set, got, 4, 0), 1);
    CHECK_EQ(got[0].events, GYI_CLOSED);
    CHECK(got[0].token == 42);
    gyi_pollset_free(&set, &memory);
    close(ends[1]);
}

TEST(pollset, begins_where_the_last_answer_ended) {
    gyi_pollset set = {.count = 0};
    gyi_ready got;
    int ends[2], copy[3];
    CHECK(gyi_alloc_init(&memory, (gy_alloc){.alloc = NULL}));
    CHECK_EQ(pipe(ends), 0);
    for (int i = 0; i < 3; i++) {
        copy[i] = dup(ends[1]);
        CHECK_EQ(gyi_pollset_set(&p, &set, copy[i], (uint64_t)i + 1, GY_WRITABLE), 0);
    }
    for (uint64_t i = 0; i < 7; i++) {
        CHECK_EQ(gyi_pollset_wait(&p, &set, &got, 1, GY_FOREVER), 1);
        CHECK(got.token == i % 3 + 1);
    }
    gyi_pollset_free(&set, &memory);
    for (int i = 0; i < 3; i++) close(copy[i]);
    close(ends[0]);
    close(ends[1]);
}
