/* SPDX-License-Identifier: ISC */
/* Coroutines without a stack: a device that blinks, and obeys what is typed: `f` faster, `s` slower, `q` ends it.
 *
 * Two functions that are read from top to bottom, on one thread, without a stack for each and without one allocation.
 * All they need stands in their structs. When the console hears `q`, or nothing for three seconds, it has the lamp put
 * itself out and waits for that. */
#include <gyre/gyre.h>
#include <stdio.h>
#include <unistd.h>

static struct lamp {
    gy_coro co;
    gy_timer timer;
    gy_ns period;
    int beats;
} lamp;

static struct console {
    gy_coro co;
    gy_io io;
    gy_cancel quiet; /* strikes when nobody types */
    char key;
} console;

static void blink(gy_coro *co) {
    struct lamp *l = GY_OF(co, struct lamp, co);
    GY_ASYNC_BEGIN(co);
    for (l->beats = 0; l->beats < 100; l->beats++) {
        printf("%s\r", l->beats % 2 ? "  " : "()");
        fflush(stdout);
        GY_AWAIT_DELAY(co, &l->timer, l->period);
        if (co->err) break; /* cancelled */
    }
    printf("  \r");
    GY_ASYNC_END(co, gy_num(l->beats));
}

static void obey(gy_coro *co) {
    struct console *c = GY_OF(co, struct console, co);
    GY_ASYNC_BEGIN(co);
    co->token = &c->quiet;
    do {
        gy_cancel_after(co->loop, &c->quiet, GY_S(3));
        GY_AWAIT_REQUEST(co, io, &c->io, gy_io_start(co->loop, &c->io, STDIN_FILENO, GY_READABLE, gy_settle_io));
        if (co->err || read(STDIN_FILENO, &c->key, 1) != 1) break;
        if (c->key == 'f') lamp.period /= 2;
        if (c->key == 's') lamp.period *= 2;
    } while (c->key != 'q');
    if (co->err) printf("nobody there: %s\n", gy_error_text(co->err));
    gy_coro_cancel(&lamp.co);
    GY_AWAIT_CORO(co, &lamp.co);
    GY_ASYNC_END(co, co->err ? gy_err(co->err) : co->value);
}

static void on_end(gy_coro *co, int err) {
    gy_cancel_close(&console.quiet);
    if (err) printf("the end: %s\n", gy_error_text(err));
    else printf("it has blinked %lld times\n", (long long)co->value.num);
}

int main(void) {
    gy_loop *loop;
    int err = gy_loop_new(&loop, (gy_loop_opts){0});
    if (!err) {
        lamp.period = GY_MS(100);
        gy_coro_start(loop, &lamp.co, (gy_coro_opts){.fn = blink});
        gy_coro_start(loop, &console.co, (gy_coro_opts){.fn = obey, .done = on_end});
        err = gy_loop_run(loop);
        gy_loop_free(loop);
    }
    if (err) fprintf(stderr, "coro: %s\n", gy_error_text(err));
    return err != 0;
}
