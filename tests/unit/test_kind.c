/* SPDX-License-Identifier: ISC */
/* Streams whose reads and writes are somebody else's: a fake kind that does them at once, or when the test says so. */
#include <errno.h>
#include <string.h>

#include "harness.h"
#include "net/kind.h"
#include "net/stream.h"

typedef struct fake {
    gy_stream s;
    bool later;                /* requests are under way until fake_*_done() */
    char data[64];             /* what was written, and what is read */
    size_t begin, end;
    unsigned begun, cancelled; /* how many requests; gy_stream_part bits */
    int ended, closed, let_go; /* calls of `end`, of the close callback, of `close` */
    char order[32];            /* a letter for each report */
    int err;
} fake;

static char abc[] = "abcdef";

static fake *fake_of(gy_stream *s) { return GY_OF(s, fake, s); }

static int64_t fake_take(fake *f) {
    size_t n = f->end - f->begin;
    if (!n) return GY_EOF;
    if (n > f->s.priv.buf.len) n = f->s.priv.buf.len;
    memcpy(f->s.priv.buf.base, f->data + f->begin, n);
    f->begin += n;
    return (int64_t)n;
}

static int64_t fake_put(fake *f) {
    gy_buf bufs[2];
    int64_t all = 0;
    unsigned count = gyi_write_gather(&f->s, bufs, 2);
    for (unsigned i = 0; i < count; i++) {
        if (bufs[i].len) memcpy(f->data + f->end, bufs[i].base, bufs[i].len);
        f->end += bufs[i].len;
        all += (int64_t)bufs[i].len;
    }
    return all;
}

static int64_t fake_read(gy_stream *s) {
    fake_of(s)->begun++;
    return fake_of(s)->later ? -EINPROGRESS : fake_take(fake_of(s));
}

static int64_t fake_write(gy_stream *s) {
    fake_of(s)->begun++;
    return fake_of(s)->later ? -EINPROGRESS : fake_put(fake_of(s));
}

static int64_t fake_end(gy_stream *s) {
    fake_of(s)->ended++;
    return fake_of(s)->later ? -EINPROGRESS : 0;
}

static void fake_cancel(gy_stream *s, unsigned parts) { fake_of(s)->cancelled |= parts; }

static void fake_close(gy_stream *s) { fake_of(s)->let_go++; }

static const gyi_stream_kind fake_kind = {fake_read, fake_write, fake_end, fake_cancel, fake_close, NULL};

static void fake_noted(fake *f, const char *letter, int err) {
    strcat(f->order, letter);
    f->err = err;
}

static void fake_told_read(gy_stream *s, int err, gy_buf got) { fake_noted(fake_of(s), "r", err ? err : (int)got.len); }
static void fake_told_write(gy_write *w, int err) { fake_noted(fake_of(w->stream), "w", err); }

static void fake_told_close(gy_stream *s) {
    fake_noted(fake_of(s), "x", 0);
    fake_of(s)->closed++;
}

static gy_loop *fake_open(const char *backend, fake *f, unsigned ways) {
    gy_loop *loop;
    memset(f, 0, sizeof *f);
    CHECK_EQ(gy_loop_new(&loop, (gy_loop_opts){.backend = backend}), 0);
    CHECK_EQ(gyi_stream_begin(loop, &f->s, &fake_kind, -1, ways), 0);
    CHECK_EQ(gyi_stream_begin(loop, &f->s, &fake_kind, -1, ways), -EALREADY);
    return loop;
}

static void fake_turns(gy_loop *loop) {
    for (int i = 0; i < 4; i++) CHECK(gy_loop_step(loop, GY_STEP_POLL) >= 0);
}

static void fake_end_loop(gy_loop *loop, fake *f) {
    gy_stream_close(&f->s, fake_told_close);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(f->closed, 1);
    CHECK_EQ(f->let_go, 1);
    CHECK_EQ(f->s.priv.state, 0);
    CHECK_EQ(loop->open, 0);
    CHECK_EQ(loop->active, 0);
    CHECK_EQ(gy_loop_free(loop), 0);
}

TEST_BACKENDS(kind, what_is_done_at_once_is_told_from_the_loop) {
    fake f;
    char buf[4];
    gy_write w[4] = {{0}, {0}, {0}, {0}};
    gy_buf nothing = {0};
    gy_loop *loop = fake_open(backend, &f, 0);
    CHECK_EQ(gy_stream_write(&f.s, &w[0], (gy_buf){abc, 3}, fake_told_write), 0);
    CHECK_EQ(gy_stream_write(&f.s, &w[1], nothing, fake_told_write), 0);
    gy_buf parts[3] = {{abc + 3, 1}, {abc + 4, 1}, {abc + 5, 1}};
    CHECK_EQ(gy_stream_writev(&f.s, &w[2], parts, 3, fake_told_write), 0);
    CHECK_EQ(gy_stream_shutdown(&f.s, &w[3], fake_told_write), 0);
    CHECK_EQ(gy_stream_queued(&f.s), 6);
    CHECK_EQ(f.begun, 0);
    fake_turns(loop);
    CHECK_STR(f.order, "wwww");
    CHECK_EQ(f.err, 0);
    CHECK_EQ(f.ended, 1);
    CHECK_EQ(gy_stream_queued(&f.s), 0);
    CHECK_EQ(gy_stream_try_read(&f.s, GY_BUF(buf)), -EAGAIN);
    CHECK_EQ(gy_stream_read(&f.s, GY_BUF(buf), fake_told_read), 0);
    CHECK_EQ(gy_stream_read(&f.s, GY_BUF(buf), fake_told_read), -EBUSY);
    fake_turns(loop);
    CHECK_EQ(f.err, 4);
    CHECK_EQ(memcmp(buf, "abcd", 4), 0);
    CHECK_EQ(gy_stream_read(&f.s, GY_BUF(buf), fake_told_read), 0);
    fake_turns(loop);
    CHECK_EQ(f.err, 2);
    CHECK_EQ(gy_stream_read(&f.s, GY_BUF(buf), fake_told_read), 0);
    fake_turns(loop);
    CHECK_EQ(f.err, GY_EOF);
    fake_end_loop(loop, &f);
    CHECK_STR(f.order, "wwwwrrrx");
}

TEST_BACKENDS(kind, what_is_under_way_is_told_when_it_is_done) {
    fake f;
    char buf[8];
    gy_write w[3] = {{0}, {0}, {0}};
    gy_loop *loop = fake_open(backend, &f, 0);
    f.later = true;
    CHECK_EQ(gy_stream_write(&f.s, &w[0], (gy_buf){abc, 3}, fake_told_write), 0);
    CHECK_EQ(gy_stream_read(&f.s, GY_BUF(buf), fake_told_read), 0);
    fake_turns(loop);
    CHECK_EQ(f.begun, 2);
    CHECK_EQ(gy_stream_write(&f.s, &w[1], (gy_buf){abc + 3, 2}, fake_told_write), 0);
    CHECK_EQ(gy_stream_try_write(&f.s, (gy_buf){buf, 1}), -EAGAIN);
    fake_turns(loop);
    CHECK_EQ(f.begun, 2); /* one at a time */
    CHECK_STR(f.order, "");
    gyi_kind_write_done(&f.s, 2); /* not all of it */
    fake_turns(loop);
    CHECK_EQ(f.begun, 3);
    CHECK_STR(f.order, "");
    gyi_kind_write_done(&f.s, 3);
    fake_turns(loop);
    CHECK_STR(f.order, "ww");
    gyi_kind_read_done(&f.s, 5);
    CHECK_STR(f.order, "wwr");
    CHECK_EQ(f.err, 5);
    CHECK_EQ(gy_stream_shutdown(&f.s, &w[2], fake_told_write), 0);
    fake_turns(loop);
    CHECK_EQ(f.ended, 1);
    CHECK_STR(f.order, "wwr");
    gyi_kind_write_done(&f.s, -EIO);
    fake_turns(loop);
    CHECK_STR(f.order, "wwrw");
    CHECK_EQ(f.err, -EIO);
    fake_end_loop(loop, &f);
}

TEST_BACKENDS(kind, cancelling_waits_for_what_is_under_way) {
    fake f;
    char buf[8];
    gy_write w[4] = {{0}, {0}, {0}, {0}};
    gy_buf text = {abc, 3};
    gy_loop *loop = fake_open(backend, &f, 0);
    f.later = true;
    CHECK_EQ(gy_stream_read(&f.s, GY_BUF(buf), fake_told_read), 0);
    gy_stream_cancel(&f.s, GY_STREAM_READ, -ETIMEDOUT); /* before it was begun */
    fake_turns(loop);
    CHECK_STR(f.order, "r");
    CHECK_EQ(f.begun, 0);
    CHECK_EQ(f.cancelled, 0);
    CHECK_EQ(gy_stream_read(&f.s, GY_BUF(buf), fake_told_read), 0);
    CHECK_EQ(gy_stream_write(&f.s, &w[0], text, fake_told_write), 0);
    CHECK_EQ(gy_stream_write(&f.s, &w[1], text, fake_told_write), 0);
    fake_turns(loop);
    gy_stream_cancel(&f.s, GY_STREAM_READ, -ETIMEDOUT);
    CHECK_EQ(f.cancelled, GY_STREAM_READ);
    gy_stream_cancel(&f.s, GY_STREAM_WRITE, -ETIMEDOUT);
    CHECK_EQ(f.cancelled, GY_STREAM_READ | GY_STREAM_WRITE);
    CHECK_EQ(gy_stream_write(&f.s, &w[2], text, fake_told_write), 0); /* behind them, and told the same */
    fake_turns(loop);
    CHECK_STR(f.order, "r");
    gyi_kind_write_done(&f.s, 3); /* too late for the first one */
    fake_turns(loop);
    CHECK_STR(f.order, "rwww");
    CHECK_EQ(f.err, -ETIMEDOUT);
    gyi_kind_read_done(&f.s, 3);
    CHECK_STR(f.order, "rwww");
    f.err = 0;
    fake_turns(loop);
    CHECK_STR(f.order, "rwwwr");
    CHECK_EQ(f.err, -ETIMEDOUT);
    f.err = 0;
    CHECK_EQ(gy_stream_write(&f.s, &w[3], text, fake_told_write), 0);
    fake_turns(loop);
    CHECK_EQ(f.err, -ETIMEDOUT);
    CHECK_EQ(f.begun, 2);
    fake_end_loop(loop, &f);
}

TEST_BACKENDS(kind, closing_waits_for_what_is_under_way) {
    for (int reading_first = 0; reading_first < 2; reading_first++) {
        fake f;
        char buf[8];
        gy_write w[2] = {{0}, {0}};
        gy_buf text = {abc, 3};
        gy_loop *loop = fake_open(backend, &f, 0);
        f.later = true;
        CHECK_EQ(gy_stream_read(&f.s, GY_BUF(buf), fake_told_read), 0);
        CHECK_EQ(gy_stream_write(&f.s, &w[0], text, fake_told_write), 0);
        fake_turns(loop);
        CHECK_EQ(gy_stream_write(&f.s, &w[1], text, fake_told_write), 0);
        gy_stream_close(&f.s, fake_told_close);
        gy_stream_close(&f.s, NULL);
        CHECK(!gy_stream_is_open(&f.s));
        CHECK_EQ(gy_stream_read(&f.s, GY_BUF(buf), fake_told_read), GY_ECLOSED);
        fake_turns(loop);
        CHECK_STR(f.order, "");
        CHECK(gy_loop_alive(loop));
        CHECK_EQ(gy_loop_free(loop), -EBUSY);
        if (reading_first) gyi_kind_read_done(&f.s, 3);
        else gyi_kind_write_done(&f.s, -EIO); /* the reason to stop was another */
        fake_turns(loop);
        CHECK_STR(f.order, reading_first ? "r" : "ww");
        CHECK_EQ(f.err, reading_first ? GY_ECANCELED : -EIO);
        if (reading_first) gyi_kind_write_done(&f.s, 1);
        else gyi_kind_read_done(&f.s, GY_EOF);
        CHECK_EQ(f.let_go, 0);
        CHECK_EQ(gy_loop_run(loop), 0);
        CHECK_EQ(f.let_go, 1);
        CHECK_STR(f.order, reading_first ? "rwwx" : "wwrx");
        CHECK_EQ(loop->active, 0);
        CHECK_EQ(gy_loop_free(loop), 0);
    }
}

TEST_BACKENDS(kind, it_keeps_the_loop_alive_unless_told_otherwise) {
    fake f;
    char buf[8];
    gy_loop *loop = fake_open(backend, &f, 0);
    CHECK(gy_loop_alive(loop));
    gy_stream_unref(&f.s);
    gy_stream_unref(&f.s);
    CHECK(!gy_loop_alive(loop));
    gy_stream_ref(&f.s);
    CHECK(gy_loop_alive(loop));
    gy_stream_unref(&f.s);
    CHECK_EQ(gy_stream_read(&f.s, GY_BUF(buf), fake_told_read), 0);
    fake_end_loop(loop, &f);
    CHECK_STR(f.order, "rx");
    CHECK_EQ(f.begun, 0);
}

TEST_BACKENDS(kind, one_way_streams_refuse_the_other) {
    fake f;
    char buf[8];
    int fd = 0;
    gy_write w = {0};
    gy_loop *loop = fake_open(backend, &f, GYI_STREAM_READ_ONLY);
    CHECK_EQ(gy_stream_write(&f.s, &w, GY_BUF(buf), fake_told_write), -EBADF);
    CHECK_EQ(gy_stream_reset(&f.s, NULL), -ENOTSUP);
    fake_end_loop(loop, &f);
    loop = fake_open(backend, &f, GYI_STREAM_WRITE_ONLY);
    CHECK_EQ(gy_stream_read(&f.s, GY_BUF(buf), fake_told_read), -EBADF);
    CHECK_EQ(gy_stream_try_read(&f.s, GY_BUF(buf)), -EBADF);
    CHECK_EQ(gy_stream_send_fds(&f.s, &w, GY_BUF(buf), &fd, 1, fake_told_write), -ENOTSUP);
    CHECK_EQ(gy_stream_receive_fds(&f.s), -ENOTSUP);
    fake_end_loop(loop, &f);
}

TEST_BACKENDS(kind, what_only_sockets_have_is_refused) {
    fake f;
    int value;
    gy_addr addr;
    gy_peer_cred cred;
    gy_loop *loop = fake_open(backend, &f, 0);
    CHECK_EQ(gy_stream_set(&f.s, GY_NODELAY, 1), -ENOTSUP);
    CHECK_EQ(gy_stream_get(&f.s, GY_SEND_BUFFER, &value), -ENOTSUP);
    CHECK_EQ(gy_stream_local_addr(&f.s, &addr), -ENOTSUP);
    CHECK_EQ(gy_stream_peer_addr(&f.s, &addr), -ENOTSUP);
    CHECK_EQ(gy_stream_peer_cred(&f.s, &cred), -ENOTSUP);
    fake_end_loop(loop, &f);
}
