/* SPDX-License-Identifier: ISC */
/* By hand: cells of a free list, and a queue of those that have a value. */
#include "promises/workload.h"

#include <stdlib.h>

const char contender[] = "hand";

struct cell {
    struct cell *next;     /* in the queue, or free */
    struct cell *waiting;  /* who gets the result */
    uint64_t (*volatile fn)(uint64_t value, void *ctx);
    void *ctx;
    uint64_t value;
};

static struct cell *unused, *first, **last = &first;
static uint64_t bytes;

static struct cell *make(uint64_t (*fn)(uint64_t, void *), void *ctx)
{
    struct cell *c = unused;

    if (c) {
        unused = c->next;
    } else {
        c = malloc(sizeof *c);
        bench_must(c != NULL, "have memory");
        bytes += sizeof *c;
    }
    c->next = c->waiting = NULL;
    c->fn = fn;
    c->ctx = ctx;
    return c;
}

static void resolve(struct cell *c, uint64_t value)
{
    c->value = value;
    c->next = NULL;
    *last = c;
    last = &c->next;
}

static void run(void)
{
    struct cell *c;

    while ((c = first)) {
        first = c->next;
        if (!first)
            last = &first;
        uint64_t value = c->fn(c->value, c->ctx);
        if (c->waiting)
            resolve(c->waiting, value);
        c->next = unused;
        unused = c;
    }
}

static uint64_t add(uint64_t value, void *ctx)
{
    *(uint64_t *)ctx += 1;
    return value;
}

void contender_open(void) {}

void contender_then(uint64_t *sum)
{
    for (int i = 0; i < BATCH; i++)
        resolve(make(add, sum), 1);
    run();
}

void contender_chain(uint64_t *sum)
{
    for (int i = 0; i < BATCH / CHAIN_STEPS; i++) {
        struct cell *head = make(add, sum), *c = head;
        for (int step = 1; step < CHAIN_STEPS; step++)
            c = c->waiting = make(add, sum);
        resolve(head, 1);
    }
    run();
}

static struct {
    uint64_t value[ALL_COUNT], *sum;
    size_t left;
} together;

static uint64_t arrived(uint64_t value, void *ctx)
{
    *(uint64_t *)ctx = value;
    if (--together.left == 0) {
        for (size_t i = 0; i < ALL_COUNT; i++)
            *together.sum += together.value[i];
    }
    return 0;
}

void contender_all(uint64_t *sum)
{
    static struct cell *all[ALL_COUNT];

    together.left = ALL_COUNT;
    together.sum = sum;
    for (int i = 0; i < ALL_COUNT; i++)
        all[i] = make(arrived, &together.value[i]);
    for (int i = 0; i < ALL_COUNT; i++)
        resolve(all[i], 1);
    run();
}

uint64_t contender_wait(uint64_t count)
{
    uint64_t before = bytes;

    for (uint64_t i = 0; i < count; i += 2)
        make(add, NULL)->waiting = make(add, NULL);
    return bytes - before;
}
