/* SPDX-License-Identifier: ISC */
/* Coroutines without a stack under torture: they need no memory themselves, but what they await may fail at any time.
 * In each case they come to their end, and close what they have. */
#include <errno.h>
#include <string.h>

#include "torture.h"

typedef struct pair {
    torture t;
    gy_coro parent, echo;
    gy_stream near, far;
    gy_write said, echoed;
    gy_fs file;
    char heard[16], buf[16];
    int err, echo_started;
} pair;

static void pair_echo(gy_coro *co) {
    pair *p = GY_OF(co, pair, echo);
    GY_ASYNC_BEGIN(co);
    GY_AWAIT_REQUEST(co, read, &p->far, gy_stream_read(&p->far, GY_BUF(p->buf), gy_settle_read));
    p->err = co->err;
    if (!co->err) {
        gy_buf back = {p->buf, (size_t)co->value.num};
        GY_AWAIT_REQUEST(co, write, &p->echoed, gy_stream_write(&p->far, &p->echoed, back, gy_settle_write));
        p->err = co->err;
    }
    GY_AWAIT_REQUEST(co, close, &p->far, (gy_stream_close(&p->far, gy_settle_close), 0));
    GY_ASYNC_END(co, p->err ? gy_err(p->err) : gy_num(0));
}

/* A file is read on the pool, and what it tells goes there and back. */
static void pair_parent(gy_coro *co) {
    pair *p = GY_OF(co, pair, parent);
    GY_ASYNC_BEGIN(co);
    gy_coro_start(co->loop, &p->echo, (gy_coro_opts){.fn = pair_echo});
    GY_AWAIT_REQUEST(co, fs, &p->file, gy_fs_stat(co->loop, &p->file, "/", gy_settle_fs));
    torture_try(&p->t, co->err);
    if (!p->t.told) {
        gy_buf word = {(void *)(uintptr_t)"word", 4};
        GY_AWAIT_REQUEST(co, write, &p->said, gy_stream_write(&p->near, &p->said, word, gy_settle_write));
        torture_try(&p->t, co->err);
    }
    if (!p->t.told) {
        GY_AWAIT_REQUEST(co, read, &p->near, gy_stream_read(&p->near, GY_BUF(p->heard), gy_settle_read));
        torture_try(&p->t, co->err);
        if (!co->err && (co->value.num != 4 || memcmp(p->heard, "word", 4) != 0)) torture_try(&p->t, -EIO);
    }
    if (p->t.told) gy_coro_cancel(&p->echo);
    GY_AWAIT_REQUEST(co, close, &p->near, (gy_stream_close(&p->near, gy_settle_close), 0));
    GY_AWAIT_CORO(co, &p->echo);
    if (torture_try(&p->t, co->err)) p->t.done = !p->t.told;
    GY_ASYNC_END(co, gy_num(0));
}

static void pair_begin(torture *t) {
    pair *p = (pair *)t;
    if (!torture_try(t, gy_stream_pair(t->loop, &p->near, &p->far))) return;
    torture_try(t, gy_coro_start(t->loop, &p->parent, (gy_coro_opts){.fn = pair_parent}));
}

static void pair_end(torture *t) { gy_coro_cancel(&((pair *)t)->parent); }

static bool pair_ended(torture *t) { return !gy_coro_active(&((pair *)t)->parent); }

TEST_BACKENDS(torture, coroutines) {
    torture_run(backend,
                &(torture_scenario){.size = sizeof(pair), .begin = pair_begin, .end = pair_end, .ended = pair_ended});
}
