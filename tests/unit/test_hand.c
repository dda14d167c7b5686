/* SPDX-License-Identifier: ISC */
/* Handing over: what is refused, who is chosen, and where the descriptor is afterwards. */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

#include "group/group.h"
#include "harness.h"

static _Atomic int gift_err, gift_done_count, ran_on;
static gy_stream stream;

static gy_stream *no_place(gy_gift *gift) {
    (void)gift;
    return NULL;
}

static gy_stream *some_place(gy_gift *gift) {
    (void)gift;
    return &stream;
}

static void gift_done(gy_gift *gift, gy_stream *s, int err) {
    (void)gift;
    gift_err = err;
    gift_done_count++;
    if (!err) gy_stream_close(s, NULL);
}

static void run_on(gy_message *message) { ran_on = gy_group_index(message->loop); }

static bool is_open(int fd) { return fcntl(fd, F_GETFD) >= 0; }

TEST(group_hand, what_is_plainly_wrong_is_said_at_once) {
    gy_group *g;
    gy_message message = {0};
    gy_gift gift = {0};
    gy_gift_opts opts = {.fd = -1, .place = some_place, .fn = gift_done};
    CHECK_EQ(gy_group_new(&g, (gy_group_opts){.count = 2, .loop.backend = "poll"}), 0);
    CHECK_EQ(gy_group_post(g, 0, &message, NULL), -EINVAL);
    CHECK_EQ(gy_group_post(g, 2, &message, run_on), -EINVAL);
    CHECK_EQ(gy_group_post(g, -2, &message, run_on), -EINVAL);
    CHECK_EQ(gy_group_give(g, 0, &gift, opts), -EBADF);
    opts.from = &stream;
    CHECK_EQ(gy_group_give(g, 0, &gift, opts), -EINVAL);
    opts.place = NULL;
    CHECK_EQ(gy_group_give(g, 0, &gift, opts), -EINVAL);
    CHECK_EQ(gy_group_load(g, 0), 0); /* nothing was counted */
    CHECK_EQ(gy_group_post(g, 1, &message, run_on), 0);
    CHECK_EQ(gy_group_free(g), 0);
    CHECK_EQ(ran_on, 1);
}

TEST(group_hand, any_is_the_least_busy) {
    gy_group *g;
    int err;
    CHECK_EQ(gy_group_new(&g, (gy_group_opts){.count = 3, .loop.backend = "poll"}), 0);
    gyi_member *m[7];
    unsigned most = 0;
    for (int i = 0; i < 6; i++) CHECK((m[i] = gyi_hand_reserve(g, GY_GROUP_ANY, &err)) != NULL);
    for (unsigned i = 0; i < 3; i++) most = gy_group_load(g, i) > most ? gy_group_load(g, i) : most;
    CHECK_EQ(most, 2);
    gyi_hand_release(&g->member[1]);
    CHECK((m[6] = gyi_hand_reserve(g, GY_GROUP_ANY, &err)) == &g->member[1]);
    for (unsigned i = 0; i < 3; i++)
        while (gy_group_load(g, i)) gyi_hand_release(&g->member[i]);
    CHECK_EQ(gy_group_free(g), 0);
}

/* Gives an end of a pair. @return whether the other end reads the end of it afterwards. */
static bool give(gy_group *g, gy_gift_place_fn *place, int *result) {
    int ends[2];
    char byte;
    gy_gift gift = {0};
    gy_gift_opts opts = {.place = place, .fn = gift_done};
    CHECK_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    opts.fd = ends[0];
    *result = gy_group_give(g, 1, &gift, opts);
    bool gone = false;
    if (*result == 0) gone = read(ends[1], &byte, 1) == 0;
    else CHECK(is_open(ends[0]));
    if (*result) close(ends[0]);
    close(ends[1]);
    gy_group_stop(g);
    CHECK_EQ(gy_group_join(g), 0);
    return gone;
}

TEST(group_hand, no_descriptor_is_lost) {
    gy_group *g;
    int result;
    for (int way = 0; way < 2; way++) {
        gift_done_count = 0;
        stream = (gy_stream){0};
        CHECK_EQ(gy_group_new(&g, (gy_group_opts){.count = 2, .loop.backend = "poll"}), 0);
        CHECK(give(g, way ? some_place : no_place, &result));
        CHECK_EQ(result, 0);
        CHECK_EQ(gift_done_count, 1);
        CHECK_EQ(gift_err, way ? 0 : -ENOMEM);
        CHECK(!give(g, some_place, &result)); /* it has ended: refused, and still open */
        CHECK_EQ(result, GY_ECLOSED);
        CHECK_EQ(gift_done_count, 1);
        CHECK_EQ(gy_group_free(g), 0);
    }
}
