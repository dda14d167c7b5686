/* SPDX-License-Identifier: ISC */
/* The rack. Each pass lets one kind of thing fail in one way, at its first occurrence, then at its second, and so on,
 * until a run goes by in which there was no such occurrence any more.
 *
 * A watchdog timer keeps the loop turning, as a program's other work would: whatever is noticed with the next event (a
 * wake-up that could not be sent) is noticed then. Hanging means that so many turns of it went by without a result. */
#include "torture.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "sys/sys.h"

#if defined(GYI_FAULTS) && GYI_FAULTS

enum { TORTURE_MOST = 3000, TORTURE_TURNS = 20000, TORTURE_TICKS = 500, TORTURE_FDS = 256 };

typedef enum torture_way { TORTURE_MEMORY, TORTURE_CALLS, TORTURE_MAKERS, TORTURE_MOVERS, TORTURE_WAYS } torture_way;

static const char *const torture_names[] = {"allocation", "system call", "call that makes a descriptor",
                                            "call that moves data"};

static struct {
    torture_way way;
    int at;            /* which one fails */
    _Atomic int count; /* how many there have been */
    _Atomic int blocks;
    int ticks;
} rack;

/* Whether this occurrence is the one. */
static bool rack_strikes(void) { return atomic_fetch_add(&rack.count, 1) + 1 == rack.at; }

static void *rack_alloc(size_t size, void *ctx) {
    (void)ctx;
    if (rack.way == TORTURE_MEMORY && rack_strikes()) return NULL;
    void *ptr = malloc(size);
    if (ptr) atomic_fetch_add(&rack.blocks, 1);
    return ptr;
}

static void rack_free(void *ptr, void *ctx) {
    (void)ctx;
    atomic_fetch_sub(&rack.blocks, 1);
    free(ptr);
}

static int rack_fault(gyi_syscall kind) {
    switch (rack.way) {
    case TORTURE_CALLS: return rack_strikes() ? -ENOMEM : 0;
    case TORTURE_MAKERS:
        if (kind != GYI_SYS_POLLER && kind != GYI_SYS_SOCKET && kind != GYI_SYS_ACCEPT) return 0;
        return rack_strikes() ? -EMFILE : 0;
    case TORTURE_MOVERS:
        if (kind != GYI_SYS_READ && kind != GYI_SYS_WRITE && kind != GYI_SYS_ACCEPT) return 0;
        return rack_strikes() ? -EAGAIN : 0;
    default: return 0;
    }
}

static int rack_fds(void) {
    int n = 0;
    for (int fd = 0; fd < TORTURE_FDS; fd++) n += fcntl(fd, F_GETFD) >= 0;
    return n;
}

bool torture_try(torture *t, int err) {
    if (err < 0 && !t->told) t->told = err;
    return err >= 0;
}

static void rack_tick(gy_timer *timer) {
    (void)timer;
    rack.ticks++;
}

static bool rack_over(const torture *t) { return t->done || t->told; }

/* Turns until the scenario is over, or until what it closes is closed. @return false for a hang */
static bool rack_turn(torture *t, const torture_scenario *scenario, bool ending) {
    rack.ticks = 0;
    for (int turn = 0; turn < TORTURE_TURNS && rack.ticks < TORTURE_TICKS; turn++) {
        if (ending ? !scenario->ended || scenario->ended(t) : rack_over(t)) return true;
        torture_try(t, gy_loop_step(t->loop, GY_STEP_WAIT));
    }
    return false;
}

static const char *rack_one(torture *t, const torture_scenario *scenario) {
    int fds = rack_fds();
    gy_loop_opts opts = {.backend = t->backend, .alloc = {rack_alloc, rack_free, NULL}};
    if (torture_try(t, gy_loop_new(&t->loop, opts))) {
        gy_timer watchdog = {0};
        gy_timer_start(t->loop, &watchdog, (gy_timer_opts){.fn = rack_tick, .every = GY_MS(4)});
        scenario->begin(t);
        if (!rack_turn(t, scenario, false)) return "neither the result nor the failure was reported";
        scenario->end(t);
        if (!rack_turn(t, scenario, true)) return "it could not be ended";
        gy_timer_stop(&watchdog);
        if (gy_loop_free(t->loop)) return "the loop could not be freed";
    }
    if (atomic_load(&rack.blocks)) return "memory was left behind";
    if (rack_fds() != fds) return "a descriptor was left behind, or closed that was not the library's";
    return NULL;
}

/* The first run of a pass has no fault and counts: as many at least have to follow. */
static void rack_pass(const char *backend, const torture_scenario *scenario, torture_way way) {
    torture *t = malloc(scenario->size);
    CHECK(t != NULL);
    rack.way = way;
    bool struck = true;
    for (rack.at = 0; struck; rack.at++) {
        memset(t, 0, scenario->size);
        t->backend = backend;
        atomic_store(&rack.count, 0);
        const char *wrong = rack_one(t, scenario);
        int count = atomic_load(&rack.count);
        if (wrong) CHECK_FAIL("%s %d: %s", torture_names[way], rack.at, wrong);
        if (rack.at == 0 && t->told) CHECK_FAIL("without any fault: %s", gy_error_name(t->told));
        if (rack.at == 0 && (way == TORTURE_MEMORY || way == TORTURE_CALLS)) CHECK(count > 0);
        struck = count >= rack.at;
        CHECK(rack.at < TORTURE_MOST);
    }
    free(t);
}

void torture_run(const char *backend, const torture_scenario *scenario) {
    bool levels = strcmp(backend, "poll") == 0 || strcmp(backend, "sim") == 0;
    gyi_sys_fault = rack_fault;
    rack_pass(backend, scenario, TORTURE_MEMORY);
    rack_pass(backend, scenario, TORTURE_CALLS);
    rack_pass(backend, scenario, TORTURE_MAKERS);
    /* Where edges are reported, nothing to read although there is would be a lie that no kernel tells. */
    if (levels) rack_pass(backend, scenario, TORTURE_MOVERS);
    gyi_sys_fault = NULL;
}

#else

bool torture_try(torture *t, int err) {
    if (err < 0) t->told = err;
    return err >= 0;
}

void torture_run(const char *backend, const torture_scenario *scenario) {
    (void)backend;
    (void)scenario;
    SKIP("this library was built without GYI_FAULTS");
}

#endif
