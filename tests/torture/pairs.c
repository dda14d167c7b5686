/* SPDX-License-Identifier: ISC */
/* What is tortured with pairs: a pipe end is sent from one local stream to the other, opened there, and written to;
 * what comes out of the pipe is the result. */
#include "torture.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

typedef struct gift {
    torture t;
    gy_stream near, far;      /* local: `near` sends */
    gy_stream from, to, came; /* a pipe, and a second stream of its writing end */
    gy_write sent, said, end;
    int fd, open; /* what is sent; streams that are not closed */
    char text[4], note[4], heard[16];
} gift;

static void gift_closed(gy_stream *s) { ((gift *)s->user)->open--; }

static void gift_written(gy_write *w, int err) { torture_try(&((gift *)w->user)->t, err); }

static void gift_heard(gy_stream *s, int err, gy_buf got) {
    gift *g = s->user;
    if (!torture_try(&g->t, err)) return;
    if (got.len == sizeof g->text && memcmp(got.base, g->text, got.len) == 0) g->t.done = true;
    else torture_try(&g->t, -EIO);
}

static void gift_came(gy_stream *s, int err, gy_buf got) {
    gift *g = s->user;
    (void)got;
    if (!torture_try(&g->t, err)) return;
    int fd = gy_stream_take_fd(s);
    if (fd < 0) {
        torture_try(&g->t, fd);
        return;
    }
    err = gy_stream_open(g->t.loop, &g->came, fd);
    if (err) close(fd);
    if (!torture_try(&g->t, err)) return;
    g->open++;
    if (!torture_try(&g->t, gy_stream_write(&g->came, &g->said, GY_BUF(g->text), gift_written))) return;
    torture_try(&g->t, gy_stream_shutdown(&g->came, &g->end, gift_written));
}

static void gift_begin(torture *t) {
    gift *g = (gift *)t;
    memcpy(g->text, "yes!", sizeof g->text);
    g->near.user = g->far.user = g->from.user = g->to.user = g->came.user = g;
    g->sent.user = g->said.user = g->end.user = g;
    if (!torture_try(t, gy_stream_pair(t->loop, &g->near, &g->far))) return;
    g->open += 2;
    if (!torture_try(t, gy_pipe_pair(t->loop, &g->from, &g->to))) return;
    g->open += 2;
    if (!torture_try(t, gy_stream_receive_fds(&g->far))) return;
    if (!torture_try(t, gy_stream_read(&g->far, GY_BUF(g->note), gift_came))) return;
    if (!torture_try(t, gy_stream_read(&g->from, GY_BUF(g->heard), gift_heard))) return;
    g->fd = gy_stream_fd(&g->to);
    torture_try(t, gy_stream_send_fds(&g->near, &g->sent, (gy_buf){g->text, 1}, &g->fd, 1, gift_written));
}

static void gift_end(torture *t) {
    gift *g = (gift *)t;
    gy_stream *all[] = {&g->near, &g->far, &g->from, &g->to, &g->came};
    for (int i = 0; i < 5; i++) gy_stream_close(all[i], gift_closed);
}

static bool gift_ended(torture *t) { return ((const gift *)t)->open == 0; }

TEST_BACKENDS(torture, descriptors) {
    torture_run(backend,
                &(torture_scenario){.size = sizeof(gift), .begin = gift_begin, .end = gift_end, .ended = gift_ended});
}
