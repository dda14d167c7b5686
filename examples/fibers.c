/* SPDX-License-Identifier: ISC */
/* Fibers: a kitchen that is read from top to bottom. The cooks work side by side on one thread; when one of them burns
 * something, the scope has the others stop, and whoever is in the middle of something cleans up first. */
#include <gyre/gyre.h>
#include <stdio.h>

struct dish {
    gy_loop *loop;
    const char *name;
    int minutes; /* of ten milliseconds */
    int burns;   /* after so many; 0: never */
};

static gy_value cook(void *arg) {
    const struct dish *d = arg;
    for (int minute = 1; minute <= d->minutes; minute++) {
        gy_value v = gy_await(gy_delay(d->loop, GY_MS(10)));
        if (gy_value_err(v)) {
            printf("%s: put away after %d minutes (%s)\n", d->name, minute - 1, gy_error_name(gy_value_err(v)));
            return v;
        }
        if (minute == d->burns) {
            printf("%s: burnt\n", d->name);
            return gy_err(-5);
        }
    }
    printf("%s: done\n", d->name);
    return gy_num(d->minutes);
}

/* The dishes may lie on this stack: the scope lets nobody outlive it. */
static gy_value meal(void *arg) {
    gy_loop *loop = arg;
    for (int burns = 0; burns <= 2; burns += 2) {
        struct dish dishes[] = {{loop, "soup", 3, 0}, {loop, "roast", 5, burns}, {loop, "pie", 4, 0}};
        gy_scope scope = {0};
        for (int i = 0; i < 3; i++) gy_scope_start(loop, &scope, (gy_fiber_opts){.fn = cook, .arg = &dishes[i]});
        int err = gy_scope_wait(&scope);
        printf("the meal: %s\n", err ? gy_error_text(err) : "is served");
    }
    return gy_num(0);
}

int main(void) {
    gy_loop *loop;
    int err = gy_loop_new(&loop, (gy_loop_opts){0});
    if (!err) {
        gy_fiber_start(loop, (gy_fiber_opts){.fn = meal, .arg = loop});
        err = gy_loop_run(loop);
        gy_loop_free(loop);
    }
    if (err) fprintf(stderr, "fibers: %s\n", gy_error_text(err));
    return err != 0;
}
