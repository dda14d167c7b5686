/* SPDX-License-Identifier: ISC */
/* The poller is replaced while the loop lives.
 *
 * The kernel may go on reporting a descriptor that can no longer be unregistered; then the loop throws its kernel
 * object away and registers everything with a new one. The program must not notice: the clock goes on, everybody is
 * still watched, and it works when no descriptor is left, as that is when it is needed. One thing cannot be hidden:
 * who embeds the loop waits for a descriptor that is gone, and sees that by its number. And what the kernel refuses to
 * watch again is told, in whatever state it is. */
#include "streams.h"

#include <poll.h>
#include <sys/resource.h>

#include "loop/loop.h"
#include "refuse.h"

/* What io.c does when it finds a report that belongs to nobody. */
static void rebuild_wanted(kit *k) {
    k->loop->rebuild = true;
    gyi_slots_change(&k->loop->slots, 0);
}

typedef struct watch {
    gy_io io;
    int calls, err;
} watch;

static void watch_run(gy_io *io, int err, unsigned events) {
    watch *w = GY_OF(io, watch, io);
    char byte;
    w->calls++;
    w->err = err;
    if (!err && (events & GY_READABLE)) CHECK_EQ(read(gy_io_fd(io), &byte, 1), 1);
}

static void watch_start(kit *k, watch *w, int fd) {
    *w = (watch){.calls = 0};
    CHECK_EQ(gy_io_start(k->loop, &w->io, fd, GY_READABLE, watch_run), 0);
}

/* ---- the clock --------------------------------------------------------------------------------------------------- */

static void note_timer(gy_timer *timer) { ++*(int *)timer->user; }

/* With virtual time it was the poller that had the time, and a new one began where all time begins. */
TEST_BACKENDS(rebuild, the_clock_goes_on) {
    kit k;
    int fired = 0, ends[2];
    watch w;
    gy_timer timer = {.user = &fired};
    kit_open(&k, backend);
    CHECK_EQ(pipe(ends), 0);
    bool virtual = k.loop->poller.ops->now != NULL;
    gy_timer_start(k.loop, &timer, (gy_timer_opts){.fn = note_timer, .after = virtual ? GY_S(100) : GY_MS(2)});
    kit_until(&k, &fired, 1);
    for (int i = 0; i < 3; i++) {
        gy_ns before = gy_loop_now(k.loop), due = before + (virtual ? GY_S(100) : GY_MS(2));
        watch_start(&k, &w, ends[0]);
        gy_timer_start(k.loop, &timer, (gy_timer_opts){.fn = note_timer, .at = due});
        bool reopens = i && !(k.loop->poller.caps & GYI_CAP_OWN); /* that would be for a child of this process only */
        if (reopens) CHECK_EQ(gy_loop_reopen(k.loop), 0);
        else rebuild_wanted(&k);
        kit_turns(&k, 2);
        CHECK(gy_loop_now(k.loop) >= before);
        CHECK(gy_loop_update_now(k.loop) >= before);
        kit_until(&k, &fired, 2 + i);
        CHECK(gy_loop_now(k.loop) >= due);
        if (virtual) CHECK_EQ(gy_loop_now(k.loop), due);
        CHECK_EQ(write(ends[1], "x", 1), 1);
        kit_turns(&k, 2);
        CHECK_EQ(w.calls, 1);
        gy_io_stop(&w.io);
        kit_turns(&k, 1);
    }
    close(ends[0]);
    close(ends[1]);
    kit_close(&k);
}

/* ---- who embeds the loop ----------------------------------------------------------------------------------------- */

/* A number that stayed the same would tell nothing, and the outer loop would wait for a closed descriptor. */
TEST_BACKENDS(rebuild, who_embeds_the_loop_sees_another_descriptor) {
    kit k;
    int ends[2];
    watch w;
    kit_open(&k, backend);
    int fd = gy_loop_fd(k.loop);
    if (fd < 0) {
        kit_close(&k);
        SKIP("this backend has no descriptor");
    }
    CHECK_EQ(pipe(ends), 0);
    watch_start(&k, &w, ends[0]);
    for (int i = 0; i < 3; i++) {
        rebuild_wanted(&k);
        gy_loop_timeout(k.loop);
        kit_turns(&k, 1);
        CHECK(gy_loop_fd(k.loop) >= 0);
        CHECK(gy_loop_fd(k.loop) != fd);
        fd = gy_loop_fd(k.loop);
        struct pollfd outer = {.fd = fd, .events = POLLIN};
        for (int j = 0; j < 3 && poll(&outer, 1, 0) > 0; j++) kit_turns(&k, 1);
        CHECK_EQ(gy_loop_timeout(k.loop), -1);
        CHECK_EQ(poll(&outer, 1, 0), 0);
        CHECK_EQ(write(ends[1], "x", 1), 1);
        CHECK_EQ(poll(&outer, 1, 10000), 1);
        kit_turns(&k, 1);
        CHECK_EQ(w.calls, i + 1);
    }
    gy_io_stop(&w.io);
    kit_turns(&k, 1);
    close(ends[0]);
    close(ends[1]);
    kit_close(&k);
}

/* ---- at the limit ------------------------------------------------------------------------------------------------ */

/* Opening the new one before the old one is closed must not be the only way. */
TEST_BACKENDS(rebuild, works_when_no_descriptor_is_left) {
    kit k;
    int ends[2];
    watch w;
    struct rlimit limit, none;
    kit_open(&k, backend);
    CHECK_EQ(pipe(ends), 0);
    watch_start(&k, &w, ends[0]);
    kit_turns(&k, 1);
    CHECK_EQ(getrlimit(RLIMIT_NOFILE, &limit), 0);
    none = limit;
    int next = dup(ends[0]); /* the lowest number that is free */
    CHECK(next >= 0);
    close(next);
    none.rlim_cur = (rlim_t)next;
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
    rebuild_wanted(&k);
    int first = gy_loop_step(k.loop, GY_STEP_POLL);
    CHECK_EQ(write(ends[1], "x", 1), 1);
    int second = gy_loop_step(k.loop, GY_STEP_POLL);
    CHECK_EQ(setrlimit(RLIMIT_NOFILE, &limit), 0);
    CHECK_EQ(first, 1);
    CHECK_EQ(second, 1);
    CHECK_EQ(w.calls, 1);
    gy_io_stop(&w.io);
    kit_turns(&k, 1);
    close(ends[0]);
    close(ends[1]);
    kit_close(&k);
}

/* ---- steps that fail --------------------------------------------------------------------------------------------- */

#if defined(GYI_FAULTS) && GYI_FAULTS

/* A turn reports it, and the next one tries again; nothing is forgotten. */
TEST_BACKENDS(rebuild, one_that_fails_is_tried_again) {
    int errors[] = {-EMFILE, -ENFILE, -ENOMEM};
    kit k;
    int ends[2];
    watch w;
    kit_open(&k, backend);
    CHECK_EQ(pipe(ends), 0);
    watch_start(&k, &w, ends[0]);
    kit_turns(&k, 1);
    for (int i = 0; i < 2; i++) {
        rebuild_wanted(&k);
        refuse(GYI_SYS_POLLER, errors[i]);
        for (int j = 0; j < 2; j++) {
            int left = gy_loop_step(k.loop, GY_STEP_POLL);
            CHECK(left == 1 || left == errors[i]);
        }
        refuse_nothing();
        CHECK_EQ(write(ends[1], "x", 1), 1);
        kit_turns(&k, 2);
        CHECK_EQ(w.calls, i + 1);
    }
    gy_io_stop(&w.io);
    kit_turns(&k, 1);
    close(ends[0]);
    close(ends[1]);
    kit_close(&k);
}

typedef struct door {
    gy_stream s;
    int calls, refusals, err;
} door;

static void door_knocked(gy_stream *s, int err) {
    door *d = GY_OF(s, door, s);
    d->calls++;
    d->err = err;
    if (err) d->refusals++;
}

/* A listener that has announced a connection pauses until it is taken, on a list of its own. Being refused while it is
 * there must not take it for one that waits. What the program then does with it is its own choice. */
static void refused_listener(const char *backend, bool take) {
    kit k;
    door d = {.calls = 0};
    gy_stream client = {.user = NULL};
    kit_open(&k, backend);
    kit_listen(&k, &d.s, KIT_TCP4, door_knocked);
    int peer = kit_raw_connect(&k, false);
    kit_until(&k, &d.calls, 1);
    CHECK_EQ(d.err, 0);
    rebuild_wanted(&k);
    refuse(GYI_SYS_CHANGE, -ENOSPC);
    for (int i = 0; i < 3; i++) CHECK(gy_loop_step(k.loop, GY_STEP_POLL) >= 0);
    refuse_nothing();
    if (k.loop->poller.caps & GYI_CAP_EDGE) CHECK_EQ(d.refusals, 1);
    if (d.refusals) CHECK_EQ(d.err, -ENOSPC);
    CHECK(gy_stream_is_open(&d.s));
    if (take) CHECK_EQ(gy_stream_accept(&d.s, &client), 0);
    kit_turns(&k, 3);
    gy_stream_close(&client, NULL);
    gy_stream_close(&d.s, NULL);
    kit_run(&k);
    close(peer);
    kit_close(&k);
}

TEST_BACKENDS(rebuild, a_paused_listener_that_is_refused_gives_its_connection) { refused_listener(backend, true); }

TEST_BACKENDS(rebuild, a_paused_listener_that_is_refused_can_be_closed) { refused_listener(backend, false); }

#endif
