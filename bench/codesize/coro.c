/* SPDX-License-Identifier: ISC */
/* The timer program as a coroutine: ten delays, and a result. */
#include "arena.h"
#include "gyre/coro.h"

static struct blink {
    gy_coro co;
    gy_timer timer;
    int left;
} blinker;

static void blink(gy_coro *co)
{
    struct blink *b = GY_OF(co, struct blink, co);

    GY_ASYNC_BEGIN(co);
    for (b->left = 10; b->left > 0; b->left--)
        GY_AWAIT_DELAY(co, &b->timer, GY_MS(1));
    GY_ASYNC_END(co, gy_num(0));
}

int main(void)
{
    gy_loop *loop;

    if (gy_loop_new(&loop, (gy_loop_opts){.alloc = ARENA}) != 0)
        return 1;
    gy_coro_start(loop, &blinker.co, (gy_coro_opts){.fn = blink});
    gy_loop_run(loop);
    return gy_loop_free(loop) != 0;
}
