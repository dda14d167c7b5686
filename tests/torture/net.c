/* SPDX-License-Identifier: ISC */
/* What is tortured with a network: an echo over tcp, both ends in one loop, from listening to the last close. */
#include "torture.h"

#include <errno.h>
#include <string.h>

typedef struct call {
    torture t;
    gy_stream server, near, far; /* `far` is the accepted end */
    gy_write ask, more, bye, answer;
    gy_timeout limit;
    int open; /* streams that are not closed */
    char text[8], there[32], back[32];
    size_t length;
} call;

static void call_closed(gy_stream *s) { ((call *)s->user)->open--; }

static void call_written(gy_write *w, int err) { torture_try(&((call *)w->user)->t, err); }

static void call_far_read(gy_stream *s, int err, gy_buf got);

static void call_answered(gy_write *w, int err) {
    call *c = w->user;
    if (!torture_try(&c->t, err)) return;
    torture_try(&c->t, gy_stream_read(&c->far, GY_BUF(c->there), call_far_read));
}

static void call_far_read(gy_stream *s, int err, gy_buf got) {
    call *c = s->user;
    if (err == GY_EOF) gy_stream_close(s, call_closed);
    else if (torture_try(&c->t, err)) torture_try(&c->t, gy_stream_write(s, &c->answer, got, call_answered));
}

static void call_accept(gy_stream *server, int err) {
    call *c = server->user;
    if (!torture_try(&c->t, err) || !torture_try(&c->t, gy_stream_accept(server, &c->far))) return;
    c->open++;
    torture_try(&c->t, gy_stream_read(&c->far, GY_BUF(c->there), call_far_read));
}

/* The whole result: the text came back, and then the end. */
static void call_near_read(gy_stream *s, int err, gy_buf got) {
    call *c = s->user;
    gy_timeout_stop(&c->limit);
    if (err == GY_EOF) {
        if (c->length == sizeof c->text) c->t.done = true;
        else torture_try(&c->t, -EIO); /* the other end gave up and was told why */
        return;
    }
    if (!torture_try(&c->t, err)) return;
    c->length += got.len;
    torture_try(&c->t, gy_stream_read(s, GY_BUF(c->back), call_near_read));
}

static void call_connected(gy_stream *s, int err) {
    call *c = s->user;
    if (!torture_try(&c->t, err)) return;
    if (!torture_try(&c->t, gy_stream_read(s, GY_BUF(c->back), call_near_read))) return;
    gy_timeout_start(&c->limit, s, GY_STREAM_READ, GY_S(30));
    /* The first is tried at once, the second is queued. */
    gy_buf half = {c->text, 3}, rest = {c->text + 3, sizeof c->text - 3};
    if (!torture_try(&c->t, gy_stream_write(s, &c->ask, half, call_written))) return;
    if (!torture_try(&c->t, gy_stream_write(s, &c->more, rest, call_written))) return;
    torture_try(&c->t, gy_stream_shutdown(s, &c->bye, call_written));
}

static void call_begin(torture *t) {
    call *c = (call *)t;
    gy_addr addr;
    memcpy(c->text, "are you?", sizeof c->text);
    c->server.user = c->near.user = c->far.user = c->ask.user = c->more.user = c->bye.user = c->answer.user = c;
    gy_listen_opts listen = {.addr = "127.0.0.1:0", .fn = call_accept};
    if (!torture_try(t, gy_tcp_listen(t->loop, &c->server, listen))) return;
    c->open++;
    if (!torture_try(t, gy_stream_local_addr(&c->server, &addr))) return;
    gy_connect_opts connect = {.addr = addr.text, .fn = call_connected};
    if (torture_try(t, gy_tcp_connect(t->loop, &c->near, connect))) c->open++;
}

static void call_end(torture *t) {
    call *c = (call *)t;
    gy_timeout_stop(&c->limit);
    gy_stream_close(&c->server, call_closed);
    gy_stream_close(&c->near, call_closed);
    gy_stream_close(&c->far, call_closed);
}

static bool call_ended(torture *t) { return ((const call *)t)->open == 0; }

TEST_BACKENDS(torture, echo) {
    torture_run(backend,
                &(torture_scenario){.size = sizeof(call), .begin = call_begin, .end = call_end, .ended = call_ended});
}
