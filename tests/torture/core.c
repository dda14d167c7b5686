/* SPDX-License-Identifier: ISC */
/* What is tortured without a network: timers, watchers, an emitter, other threads, signals, alarms and the pool. */
#include "torture.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

/* ---- timers ------------------------------------------------------------------------------------------------------ */

typedef struct timers {
    torture t;
    gy_timer once, often, never;
    int fired;
} timers;

static void timers_once(gy_timer *timer) {
    timers *s = GY_OF(timer, timers, once);
    s->fired += 100;
    gy_timer_stop(&s->never);
}

static void timers_often(gy_timer *timer) {
    timers *s = GY_OF(timer, timers, often);
    if (++s->fired == 103) gy_timer_stop(timer);
    s->t.done = s->fired == 103;
}

static void timers_begin(torture *t) {
    timers *s = (timers *)t;
    gy_timer_start(t->loop, &s->once, (gy_timer_opts){.fn = timers_once, .after = GY_US(100)});
    gy_timer_start(t->loop, &s->often, (gy_timer_opts){.fn = timers_often, .every = GY_US(400)});
    gy_timer_start(t->loop, &s->never, (gy_timer_opts){.fn = timers_often, .after = GY_S(3600)});
}

static void timers_end(torture *t) {
    timers *s = (timers *)t;
    gy_timer_stop(&s->once);
    gy_timer_stop(&s->often);
    gy_timer_stop(&s->never);
}

TEST_BACKENDS(torture, timers) {
    torture_run(backend, &(torture_scenario){.size = sizeof(timers), .begin = timers_begin, .end = timers_end});
}

/* ---- watchers ---------------------------------------------------------------------------------------------------- */

enum { PIPES = 20 }; /* more descriptors than the first tables have room for */

typedef struct pipes {
    torture t;
    gy_io in[PIPES], out;
    int fd[PIPES][2];
    int heard, opened;
} pipes;

static void pipes_in(gy_io *io, int err, unsigned events) {
    pipes *s = io->user;
    char byte;
    (void)events;
    if (!torture_try(&s->t, err)) return;
    if (read(gy_io_fd(io), &byte, 1) != 1) return;
    s->t.done = ++s->heard == PIPES;
}

static void pipes_out(gy_io *io, int err, unsigned events) {
    pipes *s = io->user;
    (void)events;
    if (!torture_try(&s->t, err)) return;
    for (int i = 0; i < PIPES; i++)
        if (write(s->fd[i][1], "x", 1) != 1) torture_try(&s->t, -EIO);
}

static void pipes_begin(torture *t) {
    pipes *s = (pipes *)t;
    for (int i = 0; i < PIPES; i++) {
        CHECK_EQ(pipe(s->fd[i]), 0);
        s->opened++;
        CHECK_EQ(fcntl(s->fd[i][0], F_SETFL, O_NONBLOCK), 0);
        s->in[i].user = s;
        if (!torture_try(t, gy_io_start(t->loop, &s->in[i], s->fd[i][0], GY_READABLE, pipes_in))) return;
    }
    s->out.user = s;
    torture_try(t, gy_io_start(t->loop, &s->out, s->fd[0][1], GY_WRITABLE | GY_ONESHOT, pipes_out));
}

static void pipes_end(torture *t) {
    pipes *s = (pipes *)t;
    gy_io_stop(&s->out);
    for (int i = 0; i < s->opened; i++) {
        gy_io_stop(&s->in[i]);
        close(s->fd[i][0]);
        close(s->fd[i][1]);
    }
}

TEST_BACKENDS(torture, watchers) {
    torture_run(backend, &(torture_scenario){.size = sizeof(pipes), .begin = pipes_begin, .end = pipes_end});
}

/* ---- emitter and jobs -------------------------------------------------------------------------------------------- */

typedef struct room {
    torture t;
    gy_emitter emitter;
    gy_listener a, b;
    gy_emission emission;
    gy_job deferred, micro, immediate;
    int heard, ran;
} room;

static void room_hear(gy_listener *listener, const void *payload) {
    room *s = listener->user;
    (void)payload;
    s->heard++;
    s->t.done = s->heard == 2 && s->ran == 3;
}

static void room_ran(gy_job *job) {
    room *s = job->user;
    s->ran++;
    s->t.done = s->heard == 2 && s->ran == 3;
}

static void room_begin(torture *t) {
    room *s = (room *)t;
    s->a.user = s->b.user = s->deferred.user = s->micro.user = s->immediate.user = s;
    if (!torture_try(t, gy_on(&s->emitter, "talk", &s->a, room_hear))) return;
    if (!torture_try(t, gy_once(&s->emitter, "talk", &s->b, room_hear))) return;
    if (!torture_try(t, gy_emit_later(t->loop, &s->emitter, "talk", &s->emission, NULL))) return;
    gy_defer(t->loop, &s->deferred, room_ran);
    gy_microtask(t->loop, &s->micro, room_ran);
    gy_immediate(t->loop, &s->immediate, room_ran);
}

static void room_end(torture *t) {
    room *s = (room *)t;
    gy_emitter_close(&s->emitter);
    gy_job_cancel(&s->deferred);
    gy_job_cancel(&s->micro);
    gy_job_cancel(&s->immediate);
}

TEST_BACKENDS(torture, emitter_and_jobs) {
    torture_run(backend, &(torture_scenario){.size = sizeof(room), .begin = room_begin, .end = room_end});
}

/* ---- other threads ----------------------------------------------------------------------------------------------- */

typedef struct doors {
    torture t;
    gy_async async;
    gy_message message;
    pthread_t thread;
    bool started, running;
    int sent, posted;
} doors;

static void doors_sent(gy_async *async) {
    doors *s = GY_OF(async, doors, async);
    s->sent++;
    s->t.done = s->posted;
}

static void doors_posted(gy_message *message) {
    doors *s = GY_OF(message, doors, message);
    s->posted++;
    s->t.done = s->sent;
}

static void *doors_thread(void *arg) {
    doors *s = arg;
    for (int i = 0; i < 3; i++) gy_async_send(&s->async);
    gy_post(s->t.loop, &s->message, doors_posted);
    return NULL;
}

static void doors_join(doors *s) {
    if (s->running) pthread_join(s->thread, NULL);
    s->running = false;
}

static void doors_begin(torture *t) {
    doors *s = (doors *)t;
    if (!torture_try(t, gy_async_start(t->loop, &s->async, doors_sent))) return;
    CHECK_EQ(pthread_create(&s->thread, NULL, doors_thread, s), 0);
    s->started = s->running = true;
    /* Virtual time does not wait for a thread that it knows nothing of. */
    if (strcmp(t->backend, "sim") == 0) doors_join(s);
}

/* After an early failure the message may still be on its way. */
static bool doors_ended(torture *t) {
    const doors *s = (const doors *)t;
    return !s->started || s->posted;
}

static void doors_end(torture *t) {
    doors *s = (doors *)t;
    doors_join(s);
    gy_async_stop(&s->async);
}

TEST_BACKENDS(torture, other_threads) {
    torture_run(backend, &(torture_scenario){
                             .size = sizeof(doors), .begin = doors_begin, .end = doors_end, .ended = doors_ended});
}

/* ---- signals and alarms ------------------------------------------------------------------------------------------ */

typedef struct bells {
    torture t;
    gy_signal signal, other;
    gy_alarm alarm, late;
    int rung;
} bells;

static void bells_signal(gy_signal *signal, unsigned count) {
    bells *s = signal->user;
    (void)count;
    s->t.done = ++s->rung == 3;
}

static void bells_alarm(gy_alarm *alarm) {
    bells *s = alarm->user;
    s->t.done = ++s->rung == 3;
}

static void bells_begin(torture *t) {
    bells *s = (bells *)t;
    s->signal.user = s->other.user = s->alarm.user = s->late.user = s;
    if (!torture_try(t, gy_signal_start(t->loop, &s->signal, SIGUSR1, bells_signal))) return;
    if (!torture_try(t, gy_signal_start(t->loop, &s->other, SIGUSR1, bells_signal))) return;
    if (!torture_try(t, gy_alarm_start(t->loop, &s->alarm, (gy_alarm_opts){.fn = bells_alarm, .at = 1}))) return;
    gy_alarm_opts late = {.fn = bells_alarm, .at = INT64_C(4000000000) * GY_S(1)};
    if (!torture_try(t, gy_alarm_start(t->loop, &s->late, late))) return;
    raise(SIGUSR1);
}

static void bells_end(torture *t) {
    bells *s = (bells *)t;
    gy_signal_stop(&s->signal);
    gy_signal_stop(&s->other);
    gy_alarm_stop(&s->alarm);
    gy_alarm_stop(&s->late);
}

TEST_BACKENDS(torture, signals_and_alarms) {
    torture_run(backend, &(torture_scenario){.size = sizeof(bells), .begin = bells_begin, .end = bells_end});
}

/* ---- pool -------------------------------------------------------------------------------------------------------- */

enum { TASKS = 6 };

typedef struct task {
    gy_work work;
    torture *t;
    int *home, *away;
} task;

typedef struct tasks {
    torture t;
    task task[TASKS];
    int home, away;
} tasks;

static void tasks_run(gy_work *work) { (void)work; }

static void tasks_done(gy_work *work, int err) {
    task *one = GY_OF(work, task, work);
    --*one->away;
    if (torture_try(one->t, err)) one->t->done = ++*one->home == TASKS;
}

static void tasks_begin(torture *t) {
    tasks *s = (tasks *)t;
    for (int i = 0; i < TASKS; i++) {
        s->task[i] = (task){.t = t, .home = &s->home, .away = &s->away};
        gy_work_opts opts = {.run = tasks_run, .done = tasks_done, .lane = (gy_lane)(i % GY_LANE_COUNT)};
        if (!torture_try(t, gy_pool_submit(t->loop, &s->task[i].work, opts))) return;
        s->away++;
    }
}

static void tasks_end(torture *t) { (void)t; }

static bool tasks_ended(torture *t) { return ((const tasks *)t)->away == 0; }

TEST_BACKENDS(torture, pool) {
    torture_run(backend, &(torture_scenario){
                             .size = sizeof(tasks), .begin = tasks_begin, .end = tasks_end, .ended = tasks_ended});
}
