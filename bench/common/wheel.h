/* SPDX-License-Identifier: ISC */
/* The timers of the hand-written contender: a hierarchical wheel, as plain as one that works can be.
 *
 * A tick is 2^20 ns (about a millisecond); five levels of 256 slots reach 36 years. A timer sits at the level of the
 * highest byte in which its tick differs from the wheel's present one, and moves down when the wheel comes there. Due
 * times are rounded up to the next tick: never early, at most a tick late, and in no order within a tick. gyre promises
 * exact order and exact times; this does not, which is what "practical limit" means here.
 *
 * Slots are circular lists, so stopping is two stores. A bit per slot says "look here"; it is set on insertion and
 * cleared when the wheel passes, so it may point at a slot that has been emptied since, which costs one wake-up.
 */
#ifndef BENCH_COMMON_WHEEL_H
#define BENCH_COMMON_WHEEL_H

#include <stdbool.h>
#include <stdint.h>

enum { WHEEL_LEVELS = 5, WHEEL_SLOTS = 256, WHEEL_TICK_SHIFT = 20 };

struct wheel_timer {
    struct wheel_timer *next, *prev; /* NULL when idle */
    uint64_t tick;
    void (*fn)(struct wheel_timer *);
};

struct wheel {
    uint64_t now;  /* the tick up to which everything has fired */
    uint64_t next; /* nothing happens before this tick; UINT64_MAX: nothing at all */
    uint64_t busy[WHEEL_LEVELS][WHEEL_SLOTS / 64];
    struct wheel_timer slot[WHEEL_LEVELS][WHEEL_SLOTS];
};

static inline void wheel_init(struct wheel *wheel, int64_t now_ns)
{
    *wheel = (struct wheel){.now = (uint64_t)now_ns >> WHEEL_TICK_SHIFT, .next = UINT64_MAX};
    for (int level = 0; level < WHEEL_LEVELS; level++) {
        for (int i = 0; i < WHEEL_SLOTS; i++)
            wheel->slot[level][i].next = wheel->slot[level][i].prev = &wheel->slot[level][i];
    }
}

static inline void wheel_link(struct wheel *wheel, struct wheel_timer *timer)
{
    uint64_t apart = timer->tick ^ wheel->now;
    unsigned level = (63u - (unsigned)__builtin_clzll(apart | 1)) >> 3;
    unsigned slot = (unsigned)(timer->tick >> level * 8) & 255;
    struct wheel_timer *head = &wheel->slot[level][slot];
    uint64_t start = timer->tick >> level * 8 << level * 8;

    if (start < wheel->next)
        wheel->next = start;
    wheel->busy[level][slot >> 6] |= UINT64_C(1) << (slot & 63);
    timer->next = head;
    timer->prev = head->prev;
    head->prev->next = timer;
    head->prev = timer;
}

static inline void wheel_unlink(struct wheel_timer *timer)
{
    timer->prev->next = timer->next;
    timer->next->prev = timer->prev;
}

static inline void wheel_stop(struct wheel_timer *timer)
{
    if (!timer->next)
        return;
    wheel_unlink(timer);
    timer->next = timer->prev = 0;
}

/* Starts a timer or moves it. What is already due fires with the next tick. A timeout that is pushed forward with every
 * event mostly stays in its tick, and then there is nothing to do.
 */
static inline void wheel_start(struct wheel *wheel, struct wheel_timer *timer, int64_t due_ns)
{
    uint64_t tick = ((uint64_t)due_ns + (1u << WHEEL_TICK_SHIFT) - 1) >> WHEEL_TICK_SHIFT;

    if (tick <= wheel->now)
        tick = wheel->now + 1;
    if (timer->next) {
        if (timer->tick == tick)
            return;
        wheel_unlink(timer);
    }
    timer->tick = tick;
    wheel_link(wheel, timer);
}

/* Takes a slot's list out in one go, so that callbacks may start and stop what they like. */
static inline void wheel_take(struct wheel_timer *head, struct wheel_timer *into)
{
    if (head->next == head) {
        into->next = into->prev = into;
        return;
    }
    into->next = head->next;
    into->prev = head->prev;
    into->next->prev = into->prev->next = into;
    head->next = head->prev = head;
}

static inline void wheel_cascade(struct wheel *wheel, unsigned level)
{
    unsigned slot = (unsigned)(wheel->now >> level * 8) & 255;
    struct wheel_timer list;

    wheel->busy[level][slot >> 6] &= ~(UINT64_C(1) << (slot & 63));
    wheel_take(&wheel->slot[level][slot], &list);
    while (list.next != &list) {
        struct wheel_timer *timer = list.next;
        wheel_unlink(timer);
        wheel_link(wheel, timer);
    }
}

static inline void wheel_fire(struct wheel *wheel)
{
    unsigned slot = (unsigned)wheel->now & 255;
    struct wheel_timer list;

    wheel->busy[0][slot >> 6] &= ~(UINT64_C(1) << (slot & 63));
    wheel_take(&wheel->slot[0][slot], &list);
    while (list.next != &list) {
        struct wheel_timer *timer = list.next;
        wheel_unlink(timer);
        timer->next = timer->prev = 0;
        timer->fn(timer);
    }
}

/* The first busy slot of a level at or behind `from`, or 256. */
static inline unsigned wheel_scan(const uint64_t *busy, unsigned from)
{
    uint64_t bits;

    if (from > 255)
        return 256;
    bits = busy[from >> 6] >> (from & 63) << (from & 63);
    for (unsigned word = from >> 6;; bits = busy[word]) {
        if (bits)
            return word * 64 + (unsigned)__builtin_ctzll(bits);
        if (++word == WHEEL_SLOTS / 64)
            return 256;
    }
}

/* Looks for the next tick at which something fires or moves down. */
static inline uint64_t wheel_find_next(const struct wheel *wheel)
{
    for (unsigned level = 0; level < WHEEL_LEVELS; level++) {
        unsigned slot = wheel_scan(wheel->busy[level], ((unsigned)(wheel->now >> level * 8) & 255) + 1);

        if (slot < 256) {
            uint64_t unit = UINT64_C(1) << level * 8;
            return (wheel->now & ~(unit * 256 - 1)) + slot * unit;
        }
    }
    return UINT64_MAX;
}

/* Fires what is due. A turn in which nothing is due costs one comparison. */
static inline void wheel_advance(struct wheel *wheel, int64_t now_ns)
{
    uint64_t now = (uint64_t)now_ns >> WHEEL_TICK_SHIFT;

    while (wheel->next <= now) {
        wheel->now = wheel->next;
        for (unsigned level = WHEEL_LEVELS; level-- > 1;) {
            if ((wheel->now & ((UINT64_C(1) << level * 8) - 1)) == 0)
                wheel_cascade(wheel, level);
        }
        wheel_fire(wheel);
        wheel->next = wheel_find_next(wheel);
    }
    wheel->now = now;
}

/* Milliseconds that epoll_wait may wait: rounded up, so that it does not return just before the tick; -1: no timer. */
static inline int wheel_wait_ms(const struct wheel *wheel, int64_t now_ns)
{
    int64_t ns;

    if (wheel->next == UINT64_MAX)
        return -1;
    ns = (int64_t)(wheel->next << WHEEL_TICK_SHIFT) - now_ns;
    return ns <= 0 ? 0 : (int)((ns + 999999) / 1000000);
}

#endif
