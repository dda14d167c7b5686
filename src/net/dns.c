/* SPDX-License-Identifier: ISC */
/* Requests for names.
 *
 *   idle -> asking (a query is under way) -> idle, callback
 *       '-> known (the entry is queued) ---'
 *
 * A request has at most one query and at most one reason to report. Whatever ends it before the query does (a time
 * limit, cancelling, letting go) takes the query away first, which from then on is on its own (query.c); so nothing is
 * told twice, and no thread knows the request.
 *
 * Numeric addresses are answered without a thread, because everything that is passed a host passes those too. */
#include "net/dns.h"

#include <string.h>

enum { DNS_IDLE, DNS_ASKING, DNS_KNOWN };

enum { DNS_LONGEST = 253, DNS_LONGEST_OTHER = 1024 };

/* ---- ending ------------------------------------------------------------------------------------------------------ */

/* The callback comes last: it may free the request. */
static void dns_tell(gy_dns *req, int err) {
    req->priv.state = DNS_IDLE;
    gy_timer_stop(&req->priv.limit);
    req->priv.fn(req, err);
}

static void dns_run(gyi_entry *entry) {
    gy_dns *req = GY_OF(entry, gy_dns, priv.entry);
    dns_tell(req, req->priv.err);
}

static void dns_show(gy_dns *req, gyi_query *query) {
    req->priv.result = query;
    req->addrs = query->answer.addrs;
    req->count = query->answer.count;
    req->name = query->answer.name;
    req->service = query->answer.service;
}

static void dns_done(gy_work *work, int err) {
    gyi_query *query = GY_OF(work, gyi_query, work);
    gy_dns *req = query->req;
    if (!err) err = query->err;
    if (req) req->priv.query = NULL;
    if (req && !err) dns_show(req, query);
    else gyi_query_free(query);
    if (req) dns_tell(req, err);
}

/* Has the request report `err` and nothing else. */
static void dns_end(gy_dns *req, int err) {
    gyi_query *query = req->priv.query;
    req->priv.query = NULL;
    req->priv.err = err;
    if (query) gyi_query_let_go(query);
}

static void dns_drop(gy_dns *req) {
    if (req->priv.result) gyi_query_free(req->priv.result);
    req->priv.result = NULL;
    req->addrs = NULL;
    req->count = 0;
    req->name = req->service = NULL;
}

static void dns_late(gy_timer *timer) {
    gy_dns *req = GY_OF(timer, gy_dns, priv.limit);
    gyi_queue_drop(&req->priv.entry);
    dns_end(req, -ETIMEDOUT);
    dns_drop(req);
    dns_tell(req, -ETIMEDOUT);
}

/* The outcome is known: the loop will tell it. */
static void dns_know(gy_dns *req) {
    req->priv.state = DNS_KNOWN;
    gy_timer_stop(&req->priv.limit);
    if (!gyi_entry_listed(&req->priv.entry)) gyi_queue_push(req->loop, &req->priv.entry);
}

int gy_dns_abandon(gy_dns *req) {
    if (req->priv.state == DNS_IDLE) return -EALREADY;
    dns_end(req, GY_ECANCELED);
    dns_drop(req);
    dns_know(req);
    return 0;
}

int gy_dns_cancel(gy_dns *req) {
    if (req->priv.state == DNS_IDLE) return -EALREADY;
    if (req->priv.state == DNS_KNOWN) return -EBUSY;
    gyi_query *query = req->priv.query;
    int err = gy_pool_cancel(&query->work);
    if (err) return err;
    /* It comes home with nothing to report; the request need not wait for that. */
    query->req = NULL;
    req->priv.query = NULL;
    req->priv.err = GY_ECANCELED;
    dns_know(req);
    return 0;
}

void gyi_dns_forget(gy_dns *req) {
    if (req->priv.state != DNS_IDLE) {
        dns_end(req, GY_ECANCELED);
        gy_timer_stop(&req->priv.limit);
        gyi_queue_drop(&req->priv.entry);
        req->priv.state = DNS_IDLE;
    }
    dns_drop(req);
}

void gy_dns_release(gy_dns *req) {
    if (req->priv.state == DNS_IDLE) dns_drop(req);
}

/* ---- what may be asked ------------------------------------------------------------------------------------------- */

int gyi_dns_check_host(const char *host, size_t len) {
    bool other = false;
    if (!len) return GY_EADDRESS;
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)host[i];
        if (c <= ' ' || c == 0x7f || c == '[' || c == ']' || c == '/') return GY_EADDRESS;
        other = other || c > 0x7f;
    }
    if (host[len - 1] == '.') len--; /* the root, which does not count */
    return len > (other ? DNS_LONGEST_OTHER : DNS_LONGEST) ? -ENAMETOOLONG : 0;
}

int gyi_dns_port(const char *text, uint16_t *out) {
    unsigned long value = 0;
    const char *p = text;
    for (; *p >= '0' && *p <= '9' && value <= 65535; p++) value = value * 10 + (unsigned)(*p - '0');
    if (value > 65535) return -ERANGE;
    if (*p || p == text) return -EINVAL;
    *out = (uint16_t)value;
    return 0;
}

/* Whether the host is a numeric address, which then is in `out` with the port. */
static bool dns_numeric(const char *host, uint16_t port, gyi_sockaddr *out) {
    char text[80], digits[6];
    size_t len = strlen(host), at = 0, n = 0;
    bool six = memchr(host, ':', len);
    if (len > 64 || host[0] == '*') return false;
    if (six) text[at++] = '[';
    memcpy(text + at, host, len);
    at += len;
    if (six) text[at++] = ']';
    text[at++] = ':';
    do digits[n++] = (char)('0' + port % 10);
    while (port /= 10);
    while (n) text[at++] = digits[--n];
    text[at] = 0;
    return gyi_addr_parse(text, out) == 0;
}

/* ---- starting ---------------------------------------------------------------------------------------------------- */

static void dns_begin(gy_loop *loop, gy_dns *req, gy_dns_fn *fn) {
    dns_drop(req);
    req->loop = loop;
    req->priv.fn = fn;
    req->priv.err = 0;
    req->priv.entry.run = dns_run;
}

/* The last results go only now: their texts may have been the question. */
static int dns_ask(gy_loop *loop, gy_dns *req, const gyi_query_opts *opts, gy_ns timeout, gy_dns_fn *fn) {
    gyi_query *query;
    int err = gyi_query_start(loop, &query, *opts, dns_done);
    if (err) return err;
    dns_begin(loop, req, fn);
    query->req = req;
    req->priv.query = query;
    req->priv.state = DNS_ASKING;
    if (timeout) gy_timer_start(loop, &req->priv.limit, (gy_timer_opts){.fn = dns_late, .after = timeout});
    return 0;
}

/* Answers with a numeric address. */
static int dns_answer(gy_loop *loop, gy_dns *req, const gyi_sockaddr *addr, gy_dns_family family, gy_dns_fn *fn) {
    dns_begin(loop, req, fn);
    if (family != GY_DNS_ANY && (family == GY_DNS_V4) != (addr->addr.ss_family == AF_INET)) {
        req->priv.err = GY_ENOADDRESS;
    } else {
        gyi_addr_format(addr, &req->priv.one);
        req->addrs = &req->priv.one;
        req->count = 1;
    }
    dns_know(req);
    return 0;
}

static int dns_check(const gy_dns_opts *opts, gy_dns_fn *fn) {
    if (!fn || !opts->host || (opts->service && (opts->port || !opts->service[0]))) return -EINVAL;
    if ((unsigned)opts->family > GY_DNS_V6 || (opts->flags & ~(unsigned)GYI_QUERY_LOOKUP_FLAGS)) return -EINVAL;
    if (opts->timeout < 0) return -EINVAL;
    return gyi_dns_check_host(opts->host, strlen(opts->host));
}

int gy_dns_lookup(gy_loop *loop, gy_dns *req, gy_dns_opts opts, gy_dns_fn *fn) {
    gyi_sockaddr addr;
    int err = dns_check(&opts, fn);
    if (err) return err;
    if (req->priv.state != DNS_IDLE) return -EALREADY;
    if (opts.service) {
        err = gyi_dns_port(opts.service, &opts.port);
        if (err == -ERANGE) return -EINVAL;
        if (!err) opts.service = NULL;
    }
    if (!opts.service && !(opts.flags & GY_DNS_CANON) && dns_numeric(opts.host, opts.port, &addr))
        return dns_answer(loop, req, &addr, opts.family, fn);
    gyi_query_opts ask = {
        .question = {.host = opts.host, .service = opts.service, .port = opts.port, .family = opts.family,
                     .flags = opts.flags, .user = opts.resolve_user},
        .resolve = opts.resolve,
        .pool = opts.pool,
    };
    return dns_ask(loop, req, &ask, opts.timeout, fn);
}

int gy_dns_reverse(gy_loop *loop, gy_dns *req, gy_dns_reverse_opts opts, gy_dns_fn *fn) {
    gyi_sockaddr addr;
    if (!fn || !opts.addr || (opts.flags & ~(unsigned)GYI_QUERY_REVERSE_FLAGS) || opts.timeout < 0) return -EINVAL;
    if (opts.addr[0] == '*' || gyi_addr_parse(opts.addr, &addr)) return GY_EADDRESS;
    if (req->priv.state != DNS_IDLE) return -EALREADY;
    gyi_query_opts ask = {
        .question = {.addr = opts.addr, .flags = opts.flags, .user = opts.resolve_user},
        .resolve = opts.resolve,
        .pool = opts.pool,
    };
    return dns_ask(loop, req, &ask, opts.timeout, fn);
}
