/* SPDX-License-Identifier: ISC */
/* A race of addresses for one connection (RFC 8305, section 5).
 *
 *   made -> begun -> decided: the owner is told a descriptor or an error, once, and frees the race
 *
 * Attempts are bare descriptors with a watcher each, so that ending them is closing them, there and then: whoever ends
 * a race has nothing to wait for. */
#ifndef GYI_NET_RACE_H
#define GYI_NET_RACE_H

#include "gyre/dns.h"
#include "loop/loop.h"
#include "net/addr.h"

typedef struct gyi_race gyi_race;
typedef struct gyi_attempt gyi_attempt;

/* A connected descriptor, which is the owner's from here on, or an error. It is still watched: who goes on watching it
 * does so before the race is freed, which spares the kernel a registration. Called from the loop, as the last thing
 * that the race does; it frees the race. */
typedef void gyi_race_fn(gyi_race *race, int outcome);

struct gyi_attempt {
    gyi_watch watch;
    gyi_race *race;
    int fd; /* -1: none */
};

struct gyi_race {
    gy_loop *loop;
    void *owner;
    gyi_race_fn *fn;
    gy_timer next; /* when the next attempt is due */
    gy_ns delay;
    const gyi_sockaddr *from;
    gyi_sockaddr local;
    unsigned count, begun, running, most;
    int err;              /* the most telling one so far */
    gyi_attempt *attempt; /* `most` of them, behind the struct, */
    gyi_sockaddr *addr;   /* and `count` of these behind them, in the order of trying */
};

typedef struct gyi_race_opts {
    const gy_addr *addrs;
    unsigned count, most; /* both at least 1 */
    const char *from;     /* NULL or "" : any */
    gy_dns_family family;
    gy_ns delay;
    gyi_race_fn *fn;
    void *owner;
} gyi_race_opts;

/* Makes a race; nothing is tried yet. @return 0; GY_EADDRESS for a text that is no address; GY_ENOADDRESS when none is
 * of the family; -ENOMEM; with `*out` NULL. */
int gyi_race_new(gy_loop *loop, gyi_race **out, gyi_race_opts opts);

/* Begins with the first attempt. May decide the race, and so free it. From the loop. */
void gyi_race_begin(gyi_race *race);

/* Ends all attempts. NULL is ignored. */
void gyi_race_free(gyi_race *race);

/* Puts addresses into the order of trying: alternating between the families, beginning with the first one's, and within
 * a family as they were. `room` has room for `count`. */
void gyi_race_order(gyi_sockaddr *addr, unsigned count, gyi_sockaddr *room);

/* Which of two errors says more about why there is no connection; of equals the first. 0 is no error. */
int gyi_race_telling(int first, int second);

#endif
