/* SPDX-License-Identifier: ISC */
/* A look-up as the pool sees it: a record of the library's own, with copies of everything that was asked, which a
 * thread fills with what it finds.
 *
 *   loop: new -> submitted -> thread: run -> loop: home, shown by its request until that is released -> freed
 *                                  '-> let go of: the thread frees it
 *
 * The thread touches nothing but the record, so a request can be let go of while a resolver hangs. */
#ifndef GYI_NET_QUERY_H
#define GYI_NET_QUERY_H

#include "gyre/dns.h"
#include "pool/pool.h"

enum { /* what the public functions take */
    GYI_QUERY_LOOKUP_FLAGS  = GY_DNS_CANON | GY_DNS_NUMERIC_HOST | GY_DNS_CONFIGURED | GY_DNS_DATAGRAM,
    GYI_QUERY_REVERSE_FLAGS = GY_DNS_NUMERIC_HOST | GY_DNS_DATAGRAM | GY_DNS_NUMERIC_PORT | GY_DNS_NAMED
};

typedef struct gyi_query gyi_query;

struct gy_dns_answer {
    gy_alloc alloc;
    const gy_dns_question *question;
    gy_addr *addrs;
    unsigned count, room;
    char *name, *service;
};

struct gyi_query {
    gy_work work;
    gy_dns *req; /* NULL: it was let go of. The loop's */
    gy_resolve_fn *resolve;
    gy_dns_question question; /* its texts lie behind the record */
    gy_dns_answer answer;
    int err;
};

/* What to ask, and whom. */
typedef struct gyi_query_opts {
    gy_dns_question question;
    gy_resolve_fn *resolve; /* NULL: the system's */
    gy_pool *pool;
} gyi_query_opts;

/* Submits a query for a request. `done` is called on the loop's thread and owns it then.
 * @return 0 or -ENOMEM, with `*out` NULL. */
int gyi_query_start(gy_loop *loop, gyi_query **out, gyi_query_opts opts, gy_work_done_fn *done);

/* Nobody wants it any more: it frees itself, now or when its thread comes back. `done` may still be called, with `req`
 * NULL, and frees it then. */
void gyi_query_let_go(gyi_query *query);

void gyi_query_free(gyi_query *query);

#endif
