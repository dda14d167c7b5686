/* SPDX-License-Identifier: ISC */
/* The switch between stacks: it goes there and back, and what a function call preserves is preserved, floating point
 * included. tools/check-switches runs this file alone, for each machine that has a switch of its own. */
#include <stdlib.h>

#include "harness.h"
#include "task/switch.h"

enum { SIZE = 65536, WORDS = 40 };

static gyi_context here, there;
static gyi_switch_watch here_watch, there_watch;
static int steps;
static double results[2];

/* From the test's side, and from the other. */
static void go(void) {
    gyi_watch_leave(&here_watch, &there_watch);
    gyi_switch(&here, &there);
    gyi_watch_enter(&here_watch, &there_watch);
}

static void come_back(void) {
    gyi_watch_leave(&there_watch, &here_watch);
    gyi_switch(&there, &here);
    gyi_watch_enter(&there_watch, &here_watch);
}

static void *prepare(void (*entry)(void *), void *arg) {
    char *stack = malloc(SIZE);
    CHECK(stack != NULL);
    gyi_watch_stack(&there_watch, stack, SIZE);
    gyi_switch_make(&there, stack, (void *)(((uintptr_t)stack + SIZE) & ~(uintptr_t)63), entry, arg);
    return stack;
}

static void finish(void *stack) {
    gyi_watch_end(&there_watch);
    free(stack);
}

static void count(void *arg) {
    gyi_watch_enter(&there_watch, &here_watch);
    for (;;) {
        steps += *(int *)arg;
        come_back();
    }
}

TEST(context, it_goes_there_and_back) {
    int step = 3;
    void *stack = prepare(count, &step);
    for (int i = 1; i <= 1000; i++) {
        go();
        CHECK_EQ(steps, 3 * i);
    }
    finish(stack);
}

/* More values than there are registers, all alive across each switch, so that every preserved register has one. */
static double work(uint64_t seed, void (*away)(void)) {
    uint64_t a = seed, b = seed + 1, c = seed + 2, d = seed + 3, e = seed + 4, f = seed + 5, g = seed + 6, h = seed + 7;
    uint64_t i = seed + 8, j = seed + 9, k = seed + 10, l = seed + 11;
    double p = (double)seed, q = p / 3, r = p / 7, s = p / 9, t = p / 11, u = p / 13, v = p / 17, w = p / 19;
    double x = p / 23;
    for (int round = 0; round < 50; round++) {
        away();
        a = a * 3 + l, b += a, c ^= b, d += c, e ^= d, f += e, g ^= f, h += g, i ^= h, j += i, k ^= j, l += k;
        p = p * 0.5 + x, q += p, r -= q, s += r * 0.25, t -= s, u += t, v -= u * 0.125, w += v, x -= w * 0.5;
    }
    uint64_t all = a + b + c + d + e + f + g + h + i + j + k + l;
    return p + q + r + s + t + u + v + w + x + (double)(all >> 12);
}

static void stay(void) {}

static void elsewhere(void *arg) {
    gyi_watch_enter(&there_watch, &here_watch);
    results[1] = work(*(uint64_t *)arg, come_back);
    for (;;) come_back();
}

TEST(context, registers_survive_on_both_sides) {
    uint64_t seed = 77;
    double want_here = work(1000003, stay), want_there = work(seed, stay);
    void *stack = prepare(elsewhere, &seed);
    results[0] = work(1000003, go);
    go();
    CHECK(results[0] == want_here);
    CHECK(results[1] == want_there);
    finish(stack);
}

static void aligned(void *arg) {
    gyi_watch_enter(&there_watch, &here_watch);
    volatile _Alignas(16) double place[2] = {1, 2};
    *(uintptr_t *)arg = (uintptr_t)place % 16 + (uintptr_t)(place[0] + place[1]);
    for (;;) come_back();
}

TEST(context, a_new_stack_is_aligned) {
    uintptr_t got = 0;
    void *stack = prepare(aligned, &got);
    go();
    CHECK_EQ(got, 3);
    finish(stack);
}

static int deep(int depth) {
    volatile char room[256];
    room[depth % 256] = (char)depth;
    return depth ? deep(depth - 1) + room[depth % 256] - (char)depth + 1 : 0;
}

static void dive(void *arg) {
    gyi_watch_enter(&there_watch, &here_watch);
    *(int *)arg = deep(80);
    for (;;) come_back();
}

TEST(context, deep_calls_have_room) {
    int got = 0;
    void *stack = prepare(dive, &got);
    go();
    CHECK_EQ(got, 80);
    finish(stack);
}
