/* SPDX-License-Identifier: ISC */
/* Queries: what a thread of the pool does for a look-up, by the system's resolver or the program's. */
#include "net/query.h"

#include <netinet/in.h>
#include <stddef.h>
#include <string.h>

#include "base/alloc.h"
#include "net/addr.h"
#include "sys/lookup.h"

enum {
    QUERY_ADDRS = 4,   /* room for so many at first */
    QUERY_NAME  = 256, /* bytes; the DNS has no longer ones */
    QUERY_MOST  = 1 << 16
};

/* ---- the answer -------------------------------------------------------------------------------------------------- */

static bool query_wanted(gy_dns_family family, const gyi_sockaddr *addr) {
    return family == GY_DNS_ANY || (family == GY_DNS_V4) == (addr->addr.ss_family == AF_INET);
}

/* Puts a port where there is none. Both families have it at the same place. */
static void query_set_port(gyi_sockaddr *addr, uint16_t port) {
    struct sockaddr_in in;
    _Static_assert(offsetof(struct sockaddr_in, sin_port) == offsetof(struct sockaddr_in6, sin6_port), "the port");
    memcpy(&in, &addr->addr, sizeof in);
    if (in.sin_port) return;
    in.sin_port = htons(port);
    memcpy(&addr->addr, &in, sizeof in);
}

static int query_add(gy_dns_answer *a, gyi_sockaddr *addr) {
    if (!query_wanted(a->question->family, addr)) return 0;
    query_set_port(addr, a->question->port);
    if (a->count == a->room) {
        unsigned room = a->room ? a->room * 2 : QUERY_ADDRS;
        gy_addr *more = gyi_alloc_grow(&a->alloc, a->addrs, a->count * sizeof *more, room * sizeof *more);
        if (!more) return -ENOMEM;
        a->addrs = more;
        a->room = room;
    }
    gyi_addr_format(addr, &a->addrs[a->count++]);
    return 0;
}

int gy_dns_answer_add(gy_dns_answer *answer, const char *addr) {
    gyi_sockaddr parsed;
    if (addr[0] == '*' || gyi_addr_parse(addr, &parsed)) return GY_EADDRESS;
    return query_add(answer, &parsed);
}

static int query_copy(gy_dns_answer *a, char **at, const char *text) {
    size_t size = strlen(text) + 1;
    char *copy = a->alloc.alloc(size, a->alloc.ctx);
    if (!copy) return -ENOMEM;
    memcpy(copy, text, size);
    gyi_free(&a->alloc, *at);
    *at = copy;
    return 0;
}

int gy_dns_answer_name(gy_dns_answer *answer, const char *name) { return query_copy(answer, &answer->name, name); }

int gy_dns_answer_service(gy_dns_answer *answer, const char *service) {
    return query_copy(answer, &answer->service, service);
}

static void query_forget(gy_dns_answer *a) {
    gyi_free(&a->alloc, a->addrs);
    gyi_free(&a->alloc, a->name);
    gyi_free(&a->alloc, a->service);
    a->addrs = NULL;
    a->name = a->service = NULL;
    a->count = a->room = 0;
}

/* ---- the system's resolver --------------------------------------------------------------------------------------- */

static unsigned query_flags(unsigned asked) {
    static const unsigned same[][2] = {
        {GY_DNS_CANON, GYI_LOOKUP_CANON},           {GY_DNS_NUMERIC_HOST, GYI_LOOKUP_NUMERIC_HOST},
        {GY_DNS_CONFIGURED, GYI_LOOKUP_CONFIGURED}, {GY_DNS_DATAGRAM, GYI_LOOKUP_DATAGRAM},
        {GY_DNS_NUMERIC_PORT, GYI_LOOKUP_NUMERIC_PORT}, {GY_DNS_NAMED, GYI_LOOKUP_NAMED},
    };
    unsigned flags = 0;
    for (size_t i = 0; i < sizeof same / sizeof *same; i++)
        if (asked & same[i][0]) flags |= same[i][1];
    return flags;
}

static int query_system_host(gyi_sys *sys, const gy_dns_question *q, gy_dns_answer *answer) {
    static const int family[] = {[GY_DNS_ANY] = AF_UNSPEC, [GY_DNS_V4] = AF_INET, [GY_DNS_V6] = AF_INET6};
    struct addrinfo *list;
    gyi_sockaddr addr;
    int err = gyi_lookup_host(sys, q->host, q->service, family[q->family], query_flags(q->flags), &list);
    if (err) return err;
    const struct addrinfo *rest = list;
    while (!err && gyi_lookup_next(&rest, &addr)) err = query_add(answer, &addr);
    const char *canon = gyi_lookup_canon(list);
    if (!err && canon && (q->flags & GY_DNS_CANON)) err = gy_dns_answer_name(answer, canon);
    gyi_lookup_free(list);
    return err;
}

/* Asks with larger and larger room until nothing was too long for it. */
static int query_system_names(gyi_sys *sys, const gy_dns_question *q, gy_dns_answer *answer) {
    gyi_sockaddr addr;
    int err = gyi_addr_parse(q->addr, &addr);
    for (size_t room = QUERY_NAME; !err; room *= 2) {
        char *text = answer->alloc.alloc(2 * room, answer->alloc.ctx);
        if (!text) return -ENOMEM;
        err = gyi_lookup_names(sys, &addr, query_flags(q->flags), (gy_buf){text, room}, (gy_buf){text + room, room});
        bool over = err == -EOVERFLOW && room < QUERY_MOST;
        if (!err) err = gy_dns_answer_name(answer, text);
        if (!err) err = gy_dns_answer_service(answer, text + room);
        gyi_free(&answer->alloc, text);
        if (!over) break;
        err = 0;
    }
    return err;
}

static int query_system(const gy_dns_question *q, gy_dns_answer *answer) {
    gyi_sys sys = {.count = {0}};
    return q->addr ? query_system_names(&sys, q, answer) : query_system_host(&sys, q, answer);
}

/* ---- there and back ---------------------------------------------------------------------------------------------- */

static void query_run(gy_work *work) {
    gyi_query *q = GY_OF(work, gyi_query, work);
    int err = q->resolve ? q->resolve(&q->question, &q->answer) : query_system(&q->question, &q->answer);
    if (err > 0) err = GY_ERESOLVER; /* none of ours */
    if (!err && q->question.addr && !q->answer.name) err = GY_ENONAME;
    if (!err && !q->question.addr && !q->answer.count) err = GY_ENOADDRESS;
    if (err) query_forget(&q->answer);
    q->err = err;
}

void gyi_query_free(gyi_query *q) {
    gy_alloc alloc = q->answer.alloc;
    query_forget(&q->answer);
    gyi_free(&alloc, q);
}

static void query_ended(gy_work *work, int err) {
    (void)err;
    gyi_query_free(GY_OF(work, gyi_query, work));
}

void gyi_query_let_go(gyi_query *q) {
    q->req = NULL;
    if (gy_pool_cancel(&q->work)) gyi_pool_abandon(&q->work, query_ended);
}

static size_t query_size(const char *text) { return text ? strlen(text) + 1 : 0; }

/* Copies a text to `*at`, which moves on. */
static const char *query_keep(char **at, const char *text) {
    char *copy = *at;
    if (!text) return NULL;
    memcpy(copy, text, query_size(text));
    *at += query_size(text);
    return copy;
}

int gyi_query_start(gy_loop *loop, gyi_query **out, gyi_query_opts opts, gy_work_done_fn *done) {
    const gy_dns_question *asked = &opts.question;
    gyi_query *q;
    *out = NULL;
    int err = opts.pool ? 0 : gy_loop_pool(loop, &opts.pool);
    if (err) return err;
    size_t size = sizeof *q + query_size(asked->host) + query_size(asked->service) + query_size(asked->addr);
    q = gyi_alloc_zero(&opts.pool->alloc, size);
    if (!q) return -ENOMEM;
    char *texts = (char *)(q + 1);
    q->resolve = opts.resolve;
    q->question = *asked;
    q->question.host = query_keep(&texts, asked->host);
    q->question.service = query_keep(&texts, asked->service);
    q->question.addr = query_keep(&texts, asked->addr);
    q->answer.alloc = opts.pool->alloc;
    q->answer.question = &q->question;
    gy_work_opts how = {.run = query_run, .done = done, .lane = GY_LANE_SLOW, .pool = opts.pool};
    err = gy_pool_submit(loop, &q->work, how);
    if (err) gyi_query_free(q);
    else *out = q;
    return err;
}
