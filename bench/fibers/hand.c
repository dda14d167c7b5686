/* SPDX-License-Identifier: ISC */
/* By hand: calls through a function pointer, two of them in turn for the switch. */
#include "fibers/workload.h"

const char contender[] = "hand";

static uint64_t sum;

static void one(void)
{
    sum++;
}

static void two(void)
{
    sum += 2;
}

static void (*volatile fn[2])(void) = {one, two};

void contender_open(void) {}

void contender_bare(uint64_t count)
{
    while (count-- > 0)
        fn[0]();
}

void contender_switch(uint64_t count)
{
    for (uint64_t i = 0; i < count; i++)
        fn[i & 1]();
}

void contender_await(uint64_t count)
{
    contender_bare(count);
}

void contender_spawn(uint64_t count)
{
    contender_await(count);
}

bool contender_wait(uint64_t count)
{
    (void)count;
    return false;
}
