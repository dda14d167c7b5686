/* SPDX-License-Identifier: ISC */
/* What only poll has: no descriptor of its own, and no memory when there is none. The contract is tested in
 * test_backend.c, the list in test_pollset.c. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "backends/backend.h"
#include "harness.h"

static int left;

static void *some_alloc(size_t size, void *ctx) {
    (void)ctx;
    return left-- > 0 ? malloc(size) : NULL;
}

static void some_free(void *ptr, void *ctx) {
    (void)ctx;
    free(ptr);
}

TEST(poll, needs_no_descriptor_and_says_so) {
    gyi_sys calls = {{0}};
    gy_alloc memory = {some_alloc, some_free, NULL};
    gyi_poller p = {.ops = &gyi_backend_poll, .sys = &calls, .alloc = &memory, .fd = -1};
    left = 1;
    CHECK_EQ(p.ops->open(&p), 0);
    CHECK_EQ(p.fd, -1);
    CHECK_EQ(p.caps, GYI_CAP_PRIORITY);
    p.ops->close(&p);
}

/* Each allocation in turn fails; afterwards there is memory, and all works. */
TEST(poll, reports_that_there_is_no_memory) {
    gyi_sys calls = {{0}};
    gy_alloc memory = {some_alloc, some_free, NULL};
    gyi_ready got[2];
    int ends[2];
    CHECK_EQ(pipe(ends), 0);
    CHECK_EQ(write(ends[1], "x", 1), 1);
    for (int some = 0; some < 4; some++) {
        gyi_poller p = {.ops = &gyi_backend_poll, .sys = &calls, .alloc = &memory, .fd = -1};
        left = some;
        int err = p.ops->open(&p);
        CHECK_EQ(err, some ? 0 : -ENOMEM);
        if (err) continue;
        CHECK_EQ(p.ops->set(&p, ends[0], 1, 0, GY_READABLE), -ENOMEM);
        left = 100;
        CHECK_EQ(p.ops->wait(&p, got, 2, 0), 0);
        CHECK_EQ(p.ops->set(&p, ends[0], 1, 0, GY_READABLE), 0);
        CHECK_EQ(p.ops->wait(&p, got, 2, 0), 1);
        p.ops->close(&p);
    }
    close(ends[0]);
    close(ends[1]);
}
