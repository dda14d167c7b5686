/* SPDX-License-Identifier: ISC */
/* Events whose listeners take their time.
 *
 * A shop announces orders. Two listeners of the same event return promises: one packs, as a fiber, and one writes an
 * invoice, as a chain of reactions; a third is an ordinary listener. The shop waits until all of them are done with an
 * order before it forgets it, and nobody knows of anybody else. What fails after an emit that is not waited for becomes
 * an "error" event. */
#include <gyre/gyre.h>
#include <stdio.h>

struct order {
    int number, pieces;
};
GY_EVENT(order, struct order);
GY_EVENT_ASYNC(order, struct order);

static gy_loop *loop;
static gy_emitter shop;

static gy_value pack(void *arg) {
    struct order o = *(const struct order *)arg; /* still there: the shop waits */
    for (int i = 1; i <= o.pieces; i++) {
        int err = gy_fiber_sleep(loop, GY_MS(5));
        if (err) return gy_err(err);
        printf("  order %d: piece %d packed\n", o.number, i);
    }
    return gy_num(0);
}

static gy_promise *on_order_pack(gy_async_listener *listener, const struct order *o) {
    (void)listener;
    return gy_fiber_start(loop, (gy_fiber_opts){.fn = pack, .arg = (void *)(uintptr_t)o});
}

static gy_value write_invoice(gy_value value, void *ctx) {
    const struct order *o = ctx;
    (void)value;
    if (o->pieces > 3) return gy_err(GY_EBACKLOG); /* the form has three lines */
    printf("  order %d: invoice written\n", o->number);
    return gy_num(0);
}

static gy_promise *on_order_invoice(gy_async_listener *listener, const struct order *o) {
    (void)listener;
    return gy_then(gy_delay(loop, GY_MS(8)), write_invoice, (void *)(uintptr_t)o);
}

static void on_order_show(gy_listener *listener, const struct order *o) {
    (void)listener;
    printf("order %d has come\n", o->number);
}

static gy_promise *on_closing(gy_async_listener *listener, const void *nothing) {
    (void)listener;
    (void)nothing;
    return gy_promise_timeout(gy_delay(loop, GY_S(60)), GY_MS(10)); /* the till takes too long to count */
}

static void on_error(gy_listener *listener, const void *payload) {
    const gy_rejection *r = payload;
    (void)listener;
    printf("a listener of \"%s\" failed: %s\n", r->name, gy_error_text(r->err));
    gy_loop_stop(loop); /* the minute need not pass */
}

static gy_value sell(void *arg) {
    (void)arg;
    for (int i = 1; i <= 3; i++) {
        struct order o = {.number = i, .pieces = 2 * i - 1};
        gy_value v = gy_await_shielded(order_emit_async(loop, &shop, &o));
        int err = gy_value_err(v);
        if (err) printf("order %d: %s\n", i, gy_error_text(err));
        else printf("order %d: done by %d listeners\n", i, (int)v.num);
    }
    gy_emit(&shop, "closing", NULL);
    return gy_num(0);
}

static gy_value watch(void *arg) {
    (void)arg;
    int err = gy_value_err(gy_await(gy_once_promise(loop, &shop, "closing", (gy_once_opts){0})));
    printf("%s\n", err ? gy_error_text(err) : "the shop closes");
    return gy_num(0);
}

int main(void) {
    gy_async_listener packer = {0}, clerk = {0}, till = {0};
    gy_listener display = {0}, errors = {0};
    int err = gy_loop_new(&loop, (gy_loop_opts){0});
    if (!err) err = order_on(&shop, &display, on_order_show);
    if (!err) err = order_on_async(loop, &shop, &packer, on_order_pack);
    if (!err) err = order_on_async(loop, &shop, &clerk, on_order_invoice);
    if (!err) err = gy_on_async(loop, &shop, "closing", &till, on_closing);
    if (!err) err = gy_on(&shop, "error", &errors, on_error);
    if (!err) {
        gy_fiber_start(loop, (gy_fiber_opts){.fn = watch});
        gy_fiber_start(loop, (gy_fiber_opts){.fn = sell});
        err = gy_loop_run(loop);
    }
    gy_emitter_close(&shop);
    if (err < 0) fprintf(stderr, "orders: %s\n", gy_error_text(err));
    return err < 0;
}
