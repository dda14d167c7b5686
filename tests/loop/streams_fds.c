/* SPDX-License-Identifier: ISC */
/* Descriptors that are sent along with writes: they arrive in order, with their bytes, once, and none is left behind
 * (kit_close counts them). */
#include "streams.h"

#include <sys/resource.h>

typedef struct post {
    kit k;
    gy_stream a, b;
    kit_note an, bn;
    int pipe[2];
    char buf[64];
} post;

static void post_open(post *p, const char *backend) {
    memset(p, 0, sizeof *p);
    kit_open(&p->k, backend);
    p->a.user = &p->an;
    p->b.user = &p->bn;
    CHECK_EQ(gy_stream_pair(p->k.loop, &p->a, &p->b), 0);
    CHECK_EQ(gy_stream_receive_fds(&p->b), 0);
    CHECK_EQ(pipe(p->pipe), 0);
}

static void post_close(post *p) {
    gy_stream_close(&p->a, NULL);
    gy_stream_close(&p->b, NULL);
    kit_run(&p->k);
    close(p->pipe[0]);
    close(p->pipe[1]);
    kit_close(&p->k);
}

/* Reads once, with success. @return how much */
static size_t post_read(post *p, size_t most) {
    int before = p->bn.reads;
    size_t had = p->bn.got;
    CHECK_EQ(gy_stream_read(&p->b, (gy_buf){p->buf, most}, kit_note_read), 0);
    kit_until(&p->k, &p->bn.reads, before + 1);
    CHECK_EQ(p->bn.err, 0);
    return p->bn.got - had;
}

/* A descriptor that came is another one of the same file. */
static void post_check_same(int fd, int original) {
    struct stat one, other;
    CHECK(fd >= 0 && fd != original);
    CHECK_EQ(fstat(fd, &one), 0);
    CHECK_EQ(fstat(original, &other), 0);
    CHECK(one.st_ino == other.st_ino && one.st_dev == other.st_dev);
    CHECK(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    close(fd);
}

TEST_BACKENDS(streams, descriptors_come_with_their_bytes_in_order) {
    post p;
    char text[] = "12345";
    post_open(&p, backend);
    int both[2] = {p.pipe[0], p.pipe[1]};
    gy_write w[5] = {{.user = &p.an}, {.user = &p.an}, {.user = &p.an}, {.user = &p.an}, {.user = &p.an}};
    CHECK_EQ(gy_stream_write(&p.a, &w[0], (gy_buf){text, 1}, kit_note_write), 0);
    CHECK_EQ(gy_stream_send_fds(&p.a, &w[1], (gy_buf){text + 1, 1}, both, 2, kit_note_write), 0);
    CHECK_EQ(gy_stream_write(&p.a, &w[2], (gy_buf){text + 2, 1}, kit_note_write), 0);
    CHECK_EQ(gy_stream_send_fds(&p.a, &w[3], (gy_buf){text + 3, 1}, both, 1, kit_note_write), 0);
    CHECK_EQ(gy_stream_write(&p.a, &w[4], (gy_buf){text + 4, 1}, kit_note_write), 0);
    CHECK_EQ(p.an.writes, 0); /* never from inside the call */
    kit_until(&p.k, &p.an.writes, 5);
    CHECK_EQ(p.an.err, 0);
    static const int came[5] = {0, 2, 0, 1, 0};
    for (int i = 0; i < 5; i++) {
        CHECK_EQ(post_read(&p, 1), 1);
        CHECK_EQ(p.buf[0], text[i]);
        for (int j = 0; j < came[i]; j++) post_check_same(gy_stream_take_fd(&p.b), both[j]);
        CHECK_EQ(gy_stream_take_fd(&p.b), -EAGAIN);
    }
    post_close(&p);
}

/* What does not go at once takes its descriptors along all the same, once. */
TEST_BACKENDS(streams, descriptors_of_a_write_in_pieces_come_once) {
    enum { BIG = 1 << 20 };
    static char out[BIG], in[BIG];
    for (int behind = 0; behind < 2; behind++) {
        post p;
        post_open(&p, backend);
        gy_write first = {.user = &p.an}, w = {.user = &p.an};
        size_t ahead = behind ? BIG : 0, got = 0;
        int taken = 0;
        kit_fill(out, 0, BIG);
        if (behind) CHECK_EQ(gy_stream_write(&p.a, &first, GY_BUF(out), kit_note_write), 0);
        CHECK_EQ(gy_stream_send_fds(&p.a, &w, GY_BUF(out), &p.pipe[0], 1, kit_note_write), 0);
        while (got < ahead + BIG) {
            int before = p.bn.reads;
            size_t at = got % BIG, had = p.bn.got;
            CHECK_EQ(gy_stream_read(&p.b, (gy_buf){in + at, BIG - at}, kit_note_read), 0);
            kit_until(&p.k, &p.bn.reads, before + 1);
            CHECK_EQ(p.bn.err, 0);
            CHECK(kit_matches(in + at, at, p.bn.got - had));
            got += p.bn.got - had;
            int fd = gy_stream_take_fd(&p.b);
            if (fd == -EAGAIN) continue;
            post_check_same(fd, p.pipe[0]);
            CHECK(got > ahead); /* not before its first byte */
            taken++;
        }
        CHECK_EQ(taken, 1);
        kit_until(&p.k, &p.an.writes, behind ? 2 : 1);
        CHECK_EQ(p.an.err, 0);
        post_close(&p);
    }
}

/* Who does not ask for descriptors reads the bytes, and the descriptors are nobody's. */
TEST_BACKENDS(streams, descriptors_that_nobody_asked_for_or_took_are_closed) {
    post p;
    post_open(&p, backend);
    gy_write w = {.user = &p.an}, back = {.user = &p.bn};
    CHECK_EQ(gy_stream_send_fds(&p.b, &back, (gy_buf){p.buf, 3}, p.pipe, 2, kit_note_write), 0);
    CHECK_EQ(gy_stream_read(&p.a, GY_BUF(p.buf), kit_note_read), 0);
    kit_until(&p.k, &p.an.reads, 1);
    CHECK_EQ(p.an.got, 3);
    CHECK_EQ(gy_stream_take_fd(&p.a), -EINVAL);
    CHECK_EQ(gy_stream_send_fds(&p.a, &w, (gy_buf){p.buf, 3}, p.pipe, 2, kit_note_write), 0);
    CHECK_EQ(post_read(&p, sizeof p.buf), 3);
    post_check_same(gy_stream_take_fd(&p.b), p.pipe[0]); /* and the other stays */
    post_close(&p);
}

TEST_BACKENDS(streams, descriptors_that_cannot_be_sent) {
    post p;
    char text[] = "x";
    gy_buf one = {text, 1};
    post_open(&p, backend);
    gy_stream from = {0}, to = {0}, never = {0};
    gy_write w = {.user = &p.an}, later = {.user = &p.an};
    int many[GY_STREAM_FDS_MOST + 1] = {0}, negative[2] = {0, -1}, gone = dup(0);
    CHECK_EQ(gy_stream_send_fds(&never, &w, one, many, 1, kit_note_write), GY_ECLOSED);
    CHECK_EQ(gy_stream_receive_fds(&never), GY_ECLOSED);
    CHECK_EQ(gy_stream_take_fd(&never), GY_ECLOSED);
    CHECK_EQ(gy_stream_send_fds(&p.a, &w, one, many, 1, NULL), -EINVAL);
    CHECK_EQ(gy_stream_send_fds(&p.a, &w, (gy_buf){text, 0}, many, 1, kit_note_write), -EINVAL);
    CHECK_EQ(gy_stream_send_fds(&p.a, &w, (gy_buf){NULL, 1}, many, 1, kit_note_write), -EINVAL);
    CHECK_EQ(gy_stream_send_fds(&p.a, &w, one, NULL, 1, kit_note_write), -EINVAL);
    CHECK_EQ(gy_stream_send_fds(&p.a, &w, one, many, 0, kit_note_write), -EINVAL);
    CHECK_EQ(gy_stream_send_fds(&p.a, &w, one, many, GY_STREAM_FDS_MOST + 1, kit_note_write), -EINVAL);
    CHECK_EQ(gy_stream_send_fds(&p.a, &w, one, negative, 2, kit_note_write), -EBADF);
    CHECK_EQ(gy_pipe_pair(p.k.loop, &from, &to), 0);
    CHECK_EQ(gy_stream_send_fds(&to, &w, one, many, 1, kit_note_write), -ENOTSUP);
    CHECK_EQ(gy_stream_receive_fds(&from), -ENOTSUP);
    gy_stream_close(&from, NULL);
    gy_stream_close(&to, NULL);
    CHECK_EQ(gy_stream_send_fds(&p.a, &w, one, many, GY_STREAM_FDS_MOST, kit_note_write), 0);
    kit_until(&p.k, &p.an.writes, 1);
    CHECK_EQ(p.an.err, 0);
    close(gone); /* open when it was looked up, and not when it is sent */
    CHECK_EQ(gy_stream_send_fds(&p.a, &w, one, &gone, 1, kit_note_write), 0);
    CHECK_EQ(gy_stream_write(&p.a, &later, one, kit_note_write), 0);
    kit_until(&p.k, &p.an.writes, 3);
    CHECK_EQ(p.an.err, -EBADF);
    post_close(&p);
}

typedef struct courier {
    kit k;
    gy_stream server, near, far;
    kit_note note;
    gy_write w;
    char buf[8];
} courier;

static void courier_accept(gy_stream *server, int err) {
    courier *c = server->user;
    CHECK_EQ(err, 0);
    CHECK_EQ(gy_stream_accept(server, &c->far), 0);
    CHECK_EQ(gy_stream_receive_fds(&c->far), 0);
    CHECK_EQ(gy_stream_read(&c->far, GY_BUF(c->buf), kit_note_read), 0);
}

/* Sent before it is known whether there is anybody: it waits as any write does. */
TEST_BACKENDS(streams, a_descriptor_over_a_connection_that_is_being_made) {
    courier c;
    char text[] = "abc";
    int fd = 0;
    memset(&c, 0, sizeof c);
    c.server.user = &c;
    c.near.user = c.far.user = c.w.user = &c.note;
    kit_open(&c.k, backend);
    kit_listen(&c.k, &c.server, KIT_LOCAL, courier_accept);
    CHECK_EQ(kit_connect(&c.k, &c.near, kit_note_connect), 0);
    CHECK_EQ(gy_stream_send_fds(&c.near, &c.w, (gy_buf){text, 3}, &fd, 1, kit_note_write), 0);
    CHECK_EQ(gy_stream_receive_fds(&c.server), GY_ECLOSED);
    kit_until(&c.k, &c.note.reads, 1);
    CHECK_EQ(c.note.got, 3);
    CHECK_EQ(c.note.writes, 1);
    post_check_same(gy_stream_take_fd(&c.far), 0);
    gy_stream_close(&c.server, NULL);
    gy_stream_close(&c.near, NULL);
    gy_stream_close(&c.far, NULL);
    kit_run(&c.k);
    kit_close(&c.k);
}

#ifdef __linux__

/* The kernel gives what there are numbers for and drops the rest, which is said in its place. */
TEST_BACKENDS(streams, descriptors_for_which_there_is_no_number_are_said_to_be_lost) {
    post p;
    struct rlimit before, tight;
    post_open(&p, backend);
    gy_write w[2] = {{.user = &p.an}, {.user = &p.an}};
    int three[3] = {0, 0, 0};
    CHECK_EQ(gy_stream_send_fds(&p.a, &w[0], (gy_buf){p.buf, 1}, three, 3, kit_note_write), 0);
    CHECK_EQ(gy_stream_send_fds(&p.a, &w[1], (gy_buf){p.buf, 1}, three, 1, kit_note_write), 0);
    kit_until(&p.k, &p.an.writes, 2);
    int lowest = dup(0);
    close(lowest);
    CHECK_EQ(getrlimit(RLIMIT_NOFILE, &before), 0);
    tight = before;
    tight.rlim_cur = (rlim_t)lowest + 1;
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &tight), 0);
    int64_t n = gy_stream_try_read(&p.b, (gy_buf){p.buf, 1});
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &before), 0);
    CHECK_EQ(n, 1);
    CHECK_EQ(gy_stream_try_read(&p.b, (gy_buf){p.buf, 1}), 1);
    post_check_same(gy_stream_take_fd(&p.b), 0);
    CHECK_EQ(gy_stream_take_fd(&p.b), -EMFILE);
    post_check_same(gy_stream_take_fd(&p.b), 0);
    CHECK_EQ(gy_stream_take_fd(&p.b), -EAGAIN);
    post_close(&p);
}

#endif
