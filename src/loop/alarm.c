/* SPDX-License-Identifier: ISC */
/* Alarms: timers for a time of day.
 *
 * An alarm is a timer whose due time is worked out from the distance between the two clocks. When somebody sets the
 * wall clock that distance jumps, and all alarms are worked out anew. Linux says so through a descriptor, which is open
 * while alarms are active; elsewhere a timer looks once a second, likewise only while alarms are active. An alarm never
 * trusts its timer: when that fires, the wall clock is asked, and the timer started again if it is not yet time. */
#include "loop/loop.h"

#include "sys/clock.h"
#include "sys/fd.h"

/* The clocks are read one after the other, and are steered; less than this is no jump. */
static const gy_ns ALARM_JUMP = GY_MS(1);

gy_ns gyi_alarm_wall(const gy_loop *l) {
    /* Virtual time has a virtual time of day, which begins with the epoch. */
    return l->poller.ops->now ? gyi_loop_clock(l) + l->wall_shift : gyi_clock_wall() + l->wall_shift;
}

static gy_alarm *alarm_of_link(gyi_entry *link) { return GY_OF(link, gy_alarm, priv.link); }

static void alarm_fire(gy_timer *timer);

static void alarm_arm(gy_alarm *a) {
    gy_ns wall = a->loop->wall, at = wall < 0 && a->priv.at > GY_FOREVER + wall ? GY_FOREVER : a->priv.at - wall;
    gy_timer_start(a->loop, &a->priv.timer, (gy_timer_opts){.fn = alarm_fire, .at = at > 0 ? at : 1});
}

void gyi_alarm_look(gy_loop *l) {
    gy_ns apart = gyi_alarm_wall(l) - gyi_loop_clock(l), moved = apart - l->wall;
    if (moved < ALARM_JUMP && moved > -ALARM_JUMP) return;
    l->wall = apart;
    for (gyi_entry *e = l->alarms.next; e != &l->alarms; e = e->next) alarm_arm(alarm_of_link(e));
}

static void alarm_fire(gy_timer *timer) {
    gy_alarm *a = GY_OF(timer, gy_alarm, priv.timer);
    gy_ns wall = gyi_alarm_wall(a->loop);
    if (wall < a->priv.at) {
        /* The clock was set back, or runs a little slower than the other one. */
        a->loop->wall = wall - gyi_loop_clock(a->loop);
        alarm_arm(a);
        return;
    }
    if (a->priv.every) {
        gy_ns last = a->priv.at + (wall - a->priv.at) / a->priv.every * a->priv.every;
        a->priv.at = a->priv.every < GY_FOREVER - last ? last + a->priv.every : GY_FOREVER;
        alarm_arm(a);
    } else {
        gy_alarm_stop(a);
    }
    a->priv.fn(a);
}

/* ---- noticing that the clock was set ----------------------------------------------------------------------------- */

static void alarm_clock_set(gyi_entry *entry) {
    gy_loop *l = GY_OF(entry, gy_loop, clock.entry);
    if (l->clock.got & GY_READABLE) {
        gyi_clock_watch_clear(&l->sys, l->clock_fd);
        gyi_alarm_look(l);
    }
}

static void alarm_look_again(gy_timer *timer) { gyi_alarm_look(timer->loop); }

static void alarm_unwatch(gy_loop *l) {
    gy_timer_stop(&l->look);
    gyi_watch_forget(l, &l->clock);
    if (l->clock_open) gyi_fd_close(&l->sys, l->clock_fd);
    l->clock_open = false;
}

static int alarm_watch(gy_loop *l);

/* The notice is read to be armed again, and parent and child share what a descriptor refers to: whoever reads first
 * would take the notice from the other. So the child has one of its own, and what came before it did is looked for. */
static int alarm_reopen(gy_loop *l) {
    if (gyi_list_empty(&l->alarms)) return 0;
    alarm_unwatch(l);
    int err = alarm_watch(l);
    if (!err) gyi_alarm_look(l);
    return err;
}

/* @return 0 or the error of the watch; that there is none on this system is no error. */
static int alarm_watch(gy_loop *l) {
    if (l->poller.ops->now) return 0; /* virtual time: tests call gyi_alarm_look() themselves */
    int fd = gyi_clock_watch_open(&l->sys);
    if (fd == -ENOTSUP) {
        gy_timer_unref(&l->look);
        gy_timer_start(l, &l->look, (gy_timer_opts){.fn = alarm_look_again, .every = GY_S(1)});
        return 0;
    }
    if (fd < 0) return fd;
    l->clock_fd = fd;
    l->clock_open = true;
    l->alarms_free = alarm_unwatch;
    l->alarms_reopen = alarm_reopen;
    l->clock.entry.run = alarm_clock_set;
    gyi_watch_unref(l, &l->clock);
    int err = gyi_watch_start(l, &l->clock, fd, GY_READABLE | GY_EDGE);
    if (err) alarm_unwatch(l);
    return err;
}

/* ---- gy_alarm ---------------------------------------------------------------------------------------------------- */

int gy_alarm_start(gy_loop *loop, gy_alarm *a, gy_alarm_opts opts) {
    if (!opts.fn) return -EINVAL;
    gy_alarm_stop(a);
    if (gyi_list_empty(&loop->alarms)) {
        int err = alarm_watch(loop);
        if (err) return err;
        loop->wall = gyi_alarm_wall(loop) - gyi_loop_clock(loop);
    }
    a->loop = loop;
    a->priv.fn = opts.fn;
    a->priv.at = opts.at > 0 ? opts.at : 0;
    a->priv.every = opts.every > 0 ? opts.every : 0;
    gyi_list_append(&loop->alarms, &a->priv.link);
    alarm_arm(a);
    return 0;
}

void gy_alarm_stop(gy_alarm *a) {
    if (!gyi_entry_listed(&a->priv.link)) return;
    gyi_list_remove(&a->priv.link);
    gy_timer_stop(&a->priv.timer);
    if (gyi_list_empty(&a->loop->alarms)) alarm_unwatch(a->loop);
}

bool gy_alarm_active(const gy_alarm *a) { return gyi_entry_listed(&a->priv.link); }
