/* SPDX-License-Identifier: ISC */
/* gyre: gy_emit() on an emitter with three events. */
#include "emitter/workload.h"

#include "gyre/emitter.h"

const char contender[] = "gyre";

struct adder {
    gy_listener listener;
    uint64_t *sum;
};

static gy_emitter emitter;
static gy_listener others[2];
static struct adder adders[MOST_LISTENERS];

static void on_event(gy_listener *listener, const void *payload)
{
    *GY_OF(listener, struct adder, listener)->sum += *(const uint64_t *)payload;
}

static void on_other(gy_listener *listener, const void *payload)
{
    (void)listener, (void)payload;
    bench_die("another event was emitted");
}

void contender_open(uint64_t *sums, size_t listeners)
{
    bench_must(gy_on(&emitter, "open", &others[0], on_other) == 0, "listen");
    bench_must(gy_on(&emitter, "close", &others[1], on_other) == 0, "listen");
    for (size_t i = 0; i < listeners; i++) {
        adders[i].sum = &sums[i];
        bench_must(gy_on(&emitter, "data", &adders[i].listener, on_event) == 0, "listen");
    }
}

void contender_emit(uint64_t count, const uint64_t *payload)
{
    while (count-- > 0)
        gy_emit(&emitter, "data", payload);
}
