/* SPDX-License-Identifier: ISC */
/* By hand: calls through function pointers. The pointers are read anew for each call (volatile), so that the compiler
 * cannot know whom it calls.
 */
#include "emitter/workload.h"

const char contender[] = "hand";

struct adder {
    void (*volatile fn)(struct adder *, const void *payload);
    uint64_t *sum;
};

static struct adder adders[MOST_LISTENERS];
static size_t adder_count;

static void on_event(struct adder *adder, const void *payload)
{
    *adder->sum += *(const uint64_t *)payload;
}

void contender_open(uint64_t *sums, size_t listeners)
{
    adder_count = listeners;
    for (size_t i = 0; i < listeners; i++)
        adders[i] = (struct adder){.fn = on_event, .sum = &sums[i]};
}

void contender_emit(uint64_t count, const uint64_t *payload)
{
    while (count-- > 0) {
        for (size_t i = 0; i < adder_count; i++)
            adders[i].fn(&adders[i], payload);
    }
}
