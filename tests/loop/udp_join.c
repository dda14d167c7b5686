/* SPDX-License-Identifier: ISC */
/* Datagrams that the kernel may hand over as one: they are told one by one, with what was cut off of each. Where the
 * kernel does not join, all but the truncation is the same. */
#include "loop/loop.h"
#include "sys/dgram.h"
#include "udp.h"

enum { PIECE = 100, PIECES = 13, TEXT = PIECE * (PIECES - 1) + 50, ROOM = 1 << 16 };

typedef struct joined {
    gy_udp udp;
    int calls, count, most, cut;
    size_t len[PIECES * 2], length[PIECES * 2];
    char got[TEXT * 2];
    size_t bytes;
    gy_endpoint from, local;
    char slots[4 * ROOM];
} joined;

static void joined_note(gy_udp *udp, int err, const gy_udp_msg *msgs, unsigned count) {
    joined *j = GY_OF(udp, joined, udp);
    CHECK_EQ(err, 0);
    j->calls++;
    if ((int)count > j->most) j->most = (int)count;
    for (unsigned i = 0; i < count && j->count < PIECES * 2; i++, j->count++) {
        j->len[j->count] = msgs[i].buf.len;
        j->length[j->count] = msgs[i].length;
        j->cut += (msgs[i].flags & GY_UDP_TRUNCATED) != 0;
        CHECK(j->bytes + msgs[i].buf.len <= sizeof j->got);
        memcpy(j->got + j->bytes, msgs[i].buf.base, msgs[i].buf.len);
        j->bytes += msgs[i].buf.len;
        j->from = msgs[i].from;
        j->local = msgs[i].local;
    }
}

static void joined_start(joined *j, size_t size, bool join) {
    j->calls = j->count = j->most = j->cut = 0;
    j->bytes = 0;
    gy_udp_recv_opts opts = {.into = GY_BUF(j->slots), .size = size, .info = GY_UDP_LOCAL, .join = join,
                             .fn = joined_note};
    CHECK_EQ(gy_udp_recv_start(&j->udp, opts), 0);
}

static void joined_send(kit *k, post *from, const gy_endpoint *to, gy_buf *text) {
    letter l = {0};
    gy_dgram_opts opts = {.from = text, .count = 1, .to = to, .segment = PIECE, .fn = letter_done};
    CHECK_EQ(gy_udp_sendv(&from->udp, &l.d, opts), 0);
    kit_until(k, &l.done, 1);
    CHECK_EQ(l.err, 0);
}

/* @return who sends */
static post *joined_begin(kit *k, const char *backend, joined *j, char text[TEXT]) {
    memset(j, 0, sizeof *j);
    for (int i = 0; i < TEXT; i++) text[i] = (char)i;
    kit_open(k, backend);
    post *a = post_open(k, "127.0.0.1:0");
    CHECK_EQ(gy_udp_open(k->loop, &j->udp, (gy_udp_opts){.addr = "127.0.0.1:0"}), 0);
    return a;
}

TEST_BACKENDS(udp_join, told_one_by_one) {
    static joined j;
    static char text[TEXT];
    kit k;
    gy_endpoint at;
    gy_buf buf = GY_BUF(text);
    post *a = joined_begin(&k, backend, &j, text);
    CHECK_EQ(gy_udp_local(&j.udp, &at), 0);
    /* Joined, not joined, and joined again: the kernel is told each time. */
    for (int round = 0; round < 3; round++) {
        joined_start(&j, ROOM, round != 1);
        joined_send(&k, a, &at, &buf);
        letter lone = {0}, empty = {0};
        letter_send(a, &lone, "alone", &at);
        letter_send(a, &empty, "", &at);
        kit_until(&k, &j.count, PIECES + 2);
        for (int i = 0; i < PIECES; i++) CHECK_EQ(j.length[i], i < PIECES - 1 ? PIECE : 50);
        CHECK(j.length[PIECES] == 5 && j.length[PIECES + 1] == 0);
        CHECK(j.bytes == TEXT + 5 && j.cut == 0);
        CHECK(memcmp(j.got, text, TEXT) == 0 && memcmp(j.got + TEXT, "alone", 5) == 0);
        CHECK(gy_endpoint_equal(&j.from, &a->at));
        CHECK(gy_endpoint_port(&j.local) == 0 && j.local.priv.len);
        gy_udp_recv_stop(&j.udp);
        kit_until(&k, &empty.done, 1);
    }
    gy_udp_close(&j.udp, NULL);
    post_close(&k, a);
    kit_close(&k);
}

/* What came while nobody received was joined, and the slots of who receives next are for single ones. */
static void joined_leave(joined *j, kit *k, post *a, gy_buf *text) {
    gy_endpoint at;
    letter empty = {0};
    CHECK_EQ(gy_udp_local(&j->udp, &at), 0);
    letter_send(a, &empty, "", &at); /* one that does not look like anything */
    kit_until(k, &empty.done, 1);
    joined_send(k, a, &at, text);
    joined_start(j, 2 * PIECE, false);
    kit_until(k, &j->count, PIECES + 1);
    for (int i = 0; i < PIECES; i++) CHECK_EQ(j->length[i + 1], i < PIECES - 1 ? PIECE : 50);
    CHECK_EQ(j->length[0], 0);
    CHECK_EQ(j->cut, 0);
    CHECK_EQ(j->bytes, TEXT);
    CHECK_EQ(memcmp(j->got, text->base, TEXT), 0);
    CHECK_EQ(gyi_dgram_joins(&k->loop->sys, gy_udp_fd(&j->udp)), false);
    gy_udp_recv_stop(&j->udp);
}

TEST_BACKENDS(udp_join, what_was_joined_already) {
    static joined j;
    static char text[TEXT];
    kit k;
    gy_buf buf = GY_BUF(text);
    post *a = joined_begin(&k, backend, &j, text);
    joined_start(&j, ROOM, true);
    kit_turns(&k, 3);
    gy_udp_recv_stop(&j.udp);
    joined_leave(&j, &k, a, &buf);
    /* The same for a descriptor that has it on. */
    joined_start(&j, ROOM, true);
    int fd = dup(gy_udp_fd(&j.udp));
    gy_udp_close(&j.udp, NULL);
    kit_turns(&k, 3);
    CHECK_EQ(gy_udp_adopt(k.loop, &j.udp, fd), 0);
    joined_leave(&j, &k, a, &buf);
    gy_udp_close(&j.udp, NULL);
    post_close(&k, a);
    kit_close(&k);
}

/* A slot that takes five of them and a half. */
TEST_BACKENDS(udp_join, what_does_not_fit_is_known_to_the_byte) {
    static joined j;
    static char text[TEXT];
    kit k;
    gy_endpoint at;
    gy_buf buf = GY_BUF(text);
    memset(&j, 0, sizeof j);
    kit_open(&k, backend);
    post *a = post_open(&k, "127.0.0.1:0");
    CHECK_EQ(gy_udp_open(k.loop, &j.udp, (gy_udp_opts){.addr = "127.0.0.1:0"}), 0);
    CHECK_EQ(gy_udp_local(&j.udp, &at), 0);
    joined_start(&j, 5 * PIECE + 50, true);
    joined_send(&k, a, &at, &buf);
    kit_until(&k, &j.count, PIECES);
    bool came_joined = j.cut > 0;
    for (int i = 0; i < PIECES; i++) {
        size_t length = i < PIECES - 1 ? PIECE : 50;
        CHECK_EQ(j.length[i], length);
        CHECK_EQ(j.len[i], !came_joined || i < 5 ? length : i == 5 ? 50 : 0);
    }
    CHECK_EQ(j.cut, came_joined ? PIECES - 5 : 0);
    gy_udp_close(&j.udp, NULL);
    post_close(&k, a);
    kit_close(&k);
}
