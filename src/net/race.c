/* SPDX-License-Identifier: ISC */
/* Happy Eyeballs: addresses are tried one after the other, each with a head start before the next one, and the first
 * that answers wins.
 *
 * After whatever happens to an attempt, race_go_on() sees that the right number is under way: the next one begins when
 * the head start of the last one is over or when one has failed, and not while as many as are allowed hang. */
#include "net/race.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

#include "base/alloc.h"
#include "sys/fd.h"

/* ---- which error to tell ----------------------------------------------------------------------------------------- */

enum { RACE_NO_ROUTE, RACE_SILENCE, RACE_ANSWER, RACE_SHORTAGE };

static int race_rank(int err) {
    switch (err) {
    case -EAFNOSUPPORT:
    case -EADDRNOTAVAIL:
    case -ENETUNREACH:
    case -ENETDOWN:
    case -EHOSTUNREACH: return RACE_NO_ROUTE;
    case -ETIMEDOUT: return RACE_SILENCE;
    case -EMFILE:
    case -ENFILE:
    case -ENOMEM:
    case -ENOBUFS: return RACE_SHORTAGE;
    default: return RACE_ANSWER;
    }
}

int gyi_race_telling(int first, int second) {
    if (!first || !second) return first ? first : second;
    return race_rank(second) > race_rank(first) ? second : first;
}

/* ---- making ------------------------------------------------------------------------------------------------------ */

void gyi_race_order(gyi_sockaddr *addr, unsigned count, gyi_sockaddr *room) {
    unsigned at[2] = {0, 0}; /* the next one of the first one's family, and of the other */
    if (!count) return;
    memcpy(room, addr, count * sizeof *addr);
    int first = room[0].addr.ss_family;
    for (unsigned i = 0, other = 0; i < count; i++, other = !other) {
        for (int tries = 0; tries < 2; tries++, other = !other) {
            while (at[other] < count && (room[at[other]].addr.ss_family != first) != (bool)other) at[other]++;
            if (at[other] < count) break;
        }
        addr[i] = room[at[other]++];
    }
}

/* Reads the addresses that are of the right family. */
static int race_read(gyi_race *r, const gyi_race_opts *opts) {
    for (unsigned i = 0; i < opts->count; i++) {
        gyi_sockaddr *addr = &r->addr[r->count];
        if (opts->addrs[i].text[0] == '*' || gyi_addr_parse(opts->addrs[i].text, addr)) return GY_EADDRESS;
        bool four = addr->addr.ss_family == AF_INET;
        if (opts->family != GY_DNS_ANY && (opts->family == GY_DNS_V4) != four) continue;
        r->count++;
    }
    return r->count ? 0 : GY_ENOADDRESS;
}

static int race_sort(gyi_race *r) {
    const gy_alloc *alloc = &r->loop->alloc;
    gyi_sockaddr *room = alloc->alloc(r->count * sizeof *room, alloc->ctx);
    if (!room) return -ENOMEM;
    gyi_race_order(r->addr, r->count, room);
    gyi_free(alloc, room);
    return 0;
}

int gyi_race_new(gy_loop *loop, gyi_race **out, gyi_race_opts opts) {
    unsigned most = opts.most < opts.count ? opts.most : opts.count;
    size_t each = sizeof(gyi_sockaddr), behind = most * sizeof(gyi_attempt);
    *out = NULL;
    if (opts.count > (SIZE_MAX / 4 - behind) / each) return -ENOMEM;
    gyi_race *r = gyi_alloc_zero(&loop->alloc, sizeof *r + behind + opts.count * each);
    if (!r) return -ENOMEM;
    loop->open++; /* as a stream: a loop that was freed would leave descriptors behind */
    r->loop = loop;
    r->owner = opts.owner;
    r->fn = opts.fn;
    r->delay = opts.delay;
    r->most = most;
    r->attempt = (gyi_attempt *)(void *)(r + 1);
    r->addr = (gyi_sockaddr *)(void *)(r->attempt + most);
    for (unsigned i = 0; i < most; i++) r->attempt[i].fd = -1;
    int err = race_read(r, &opts);
    if (!err && opts.from && opts.from[0]) {
        err = gyi_addr_parse(opts.from, &r->local);
        r->from = &r->local;
    }
    if (!err) err = race_sort(r);
    if (err) gyi_race_free(r);
    else *out = r;
    return err;
}

/* ---- attempts ---------------------------------------------------------------------------------------------------- */

static void attempt_end(gyi_attempt *a) {
    gyi_race *r = a->race;
    if (a->fd < 0) return;
    gyi_watch_forget(r->loop, &a->watch);
    gyi_fd_close(&r->loop->sys, a->fd);
    a->fd = -1;
    r->running--;
}

/* A socket that is ready to connect. */
static int attempt_socket(gyi_race *r, const gyi_sockaddr *to) {
    gyi_sys *sys = &r->loop->sys;
    int fd = gyi_sock_open(sys, to->addr.ss_family);
    if (fd < 0) return fd;
    int err = gyi_sock_set(sys, fd, IPPROTO_TCP, TCP_NODELAY, 1);
    if (!err && r->from) err = gyi_sock_bind(sys, fd, r->from);
    if (!err) return fd;
    gyi_fd_close(sys, fd);
    return err;
}

static void attempt_run(gyi_entry *entry);

/* @return 0 when it is connected, -EINPROGRESS when it may be later, or why it failed. */
static int attempt_begin(gyi_race *r, gyi_attempt *a, const gyi_sockaddr *to) {
    int fd = attempt_socket(r, to);
    if (fd < 0) return fd;
    int outcome = gyi_sock_connect(&r->loop->sys, fd, to);
    int err = outcome && outcome != -EINPROGRESS ? outcome : 0;
    a->race = r;
    a->watch.entry.run = attempt_run;
    if (!err) err = gyi_watch_start(r->loop, &a->watch, fd, GY_WRITABLE);
    if (err) {
        gyi_fd_close(&r->loop->sys, fd);
        return err;
    }
    a->fd = fd;
    r->running++;
    return outcome;
}

/* ---- the race ---------------------------------------------------------------------------------------------------- */

static void race_won(gyi_race *r, gyi_attempt *a) {
    int fd = a->fd;
    a->fd = -1; /* no longer to be closed here */
    r->running--;
    gy_timer_stop(&r->next);
    r->fn(r, fd);
}

static gyi_attempt *race_place(gyi_race *r) {
    for (unsigned i = 0; i < r->most; i++)
        if (r->attempt[i].fd < 0) return &r->attempt[i];
    return NULL;
}

static void race_due(gy_timer *timer);

/* Begins the next attempt, and when it fails at once the one after it. The last thing its caller does. */
static void race_go_on(gyi_race *r) {
    gyi_attempt *a;
    int outcome = 0;
    while (r->begun < r->count && (a = race_place(r)) != NULL) {
        outcome = attempt_begin(r, a, &r->addr[r->begun++]);
        if (outcome == 0) {
            race_won(r, a);
            return;
        }
        if (outcome == -EINPROGRESS) break;
        r->err = gyi_race_telling(r->err, outcome);
    }
    if (!r->running && r->begun == r->count) {
        gy_timer_stop(&r->next);
        r->fn(r, r->err);
        return;
    }
    if (r->begun == r->count || r->running == r->most) gy_timer_stop(&r->next);
    else gy_timer_start(r->loop, &r->next, (gy_timer_opts){.fn = race_due, .after = r->delay});
}

static void race_due(gy_timer *timer) { race_go_on(GY_OF(timer, gyi_race, next)); }

static void attempt_run(gyi_entry *entry) {
    gyi_attempt *a = GY_OF(entry, gyi_attempt, watch.entry);
    gyi_race *r = a->race;
    unsigned got = a->watch.got;
    if (!(got & (GY_WRITABLE | GYI_TROUBLE | GYI_GOT_REFUSED))) return;
    int err = got & GYI_GOT_REFUSED ? a->watch.fd : gyi_sock_error(&r->loop->sys, a->fd);
    if (!err) {
        race_won(r, a);
        return;
    }
    attempt_end(a);
    r->err = gyi_race_telling(r->err, err);
    race_go_on(r);
}

void gyi_race_begin(gyi_race *race) { race_go_on(race); }

void gyi_race_free(gyi_race *r) {
    if (!r) return;
    gy_timer_stop(&r->next);
    for (unsigned i = 0; i < r->most; i++) {
        gyi_attempt *a = &r->attempt[i];
        attempt_end(a);
        if (a->race) gyi_watch_forget(r->loop, &a->watch); /* of the one that has won */
    }
    r->loop->open--;
    gyi_free(&r->loop->alloc, r);
}
