/* SPDX-License-Identifier: ISC */
/* Connecting to a name: a look-up, then a race of the addresses, under one time limit.
 *
 *   idle -> asking (the name is looked up) -> racing -> idle, callback
 *       '-> given (addresses are known; the race begins from the loop) -^
 *   each of them -> ending (cancelled; the loop will say so) -> idle, callback
 *
 * The stream is left alone until there is a connected descriptor for it. */
#include "net/dns.h"
#include "net/race.h"
#include "net/stream.h"
#include "sys/fd.h"

#include <string.h>

enum { DIAL_IDLE, DIAL_ASKING, DIAL_GIVEN, DIAL_RACING, DIAL_ENDING };

enum { DIAL_MOST = 8 };
static const gy_ns DIAL_DELAY = GY_MS(250);

/* ---- ending ------------------------------------------------------------------------------------------------------ */

/* Ends all that is under way. */
static void dial_clear(gy_dial *d) {
    gy_timer_stop(&d->priv.limit);
    gyi_queue_drop(&d->priv.entry);
    gyi_dns_forget(&d->priv.dns);
    if (d->priv.race) d->tried = d->priv.race->begun;
    gyi_race_free(d->priv.race);
    d->priv.race = NULL;
}

/* The callback comes last: it may free the dial. */
static void dial_tell(gy_dial *d, int err) {
    dial_clear(d);
    d->priv.state = DIAL_IDLE;
    d->priv.fn(d, err);
}

static void dial_late(gy_timer *timer) { dial_tell(GY_OF(timer, gy_dial, priv.limit), -ETIMEDOUT); }

int gy_dial_cancel(gy_dial *d) {
    if (d->priv.state == DIAL_IDLE) return -EALREADY;
    dial_clear(d);
    d->priv.err = GY_ECANCELED;
    d->priv.state = DIAL_ENDING;
    gyi_queue_push(d->loop, &d->priv.entry);
    return 0;
}

/* ---- racing ------------------------------------------------------------------------------------------------------ */

static void dial_decided(gyi_race *race, int outcome) {
    gy_dial *d = race->owner;
    if (outcome >= 0) {
        int err = gyi_stream_adopt(d->loop, d->stream, outcome, GYI_STREAM_WRITABLE);
        if (err) {
            /* The race watches it still, and must not when it is closed. */
            d->tried = race->begun;
            gyi_race_free(race);
            d->priv.race = NULL;
            gyi_fd_close(&d->loop->sys, outcome);
        }
        outcome = err;
    }
    dial_tell(d, outcome);
}

static int dial_race(gy_dial *d, const gy_addr *addrs, unsigned count, gy_dns_family family) {
    gyi_race_opts opts = {.addrs = addrs,
                          .count = count,
                          .most = d->priv.most,
                          .from = d->priv.from.text,
                          .family = family,
                          .delay = d->priv.delay,
                          .fn = dial_decided,
                          .owner = d};
    return gyi_race_new(d->loop, &d->priv.race, opts);
}

/* Begins the race, which may be decided at once. */
static void dial_go(gy_dial *d) {
    d->priv.state = DIAL_RACING;
    gyi_race_begin(d->priv.race);
}

static void dial_resolved(gy_dns *req, int err) {
    gy_dial *d = GY_OF(req, gy_dial, priv.dns);
    if (!err) err = dial_race(d, req->addrs, req->count, GY_DNS_ANY);
    gy_dns_release(req);
    if (err) dial_tell(d, err);
    else dial_go(d);
}

static void dial_run(gyi_entry *entry) {
    gy_dial *d = GY_OF(entry, gy_dial, priv.entry);
    if (d->priv.state == DIAL_ENDING) dial_tell(d, d->priv.err);
    else dial_go(d);
}

/* ---- starting ---------------------------------------------------------------------------------------------------- */

/* A host and what stands behind the colon after it, copied to be ended by zeroes. */
typedef struct dial_host {
    char host[1028];
    char service[64];
} dial_host;

static int dial_copy(char *to, size_t room, const char *from, size_t len) {
    if (len >= room) return -ENAMETOOLONG;
    memcpy(to, from, len);
    to[len] = 0;
    return 0;
}

/* Takes "host:port" apart, or with a port given, takes off brackets. */
static int dial_split(const char *text, uint16_t port, dial_host *out) {
    bool brackets = text[0] == '[';
    const char *host = text + brackets;
    const char *end = brackets ? strchr(host, ']') : port ? host + strlen(host) : strrchr(host, ':');
    if (!end) return GY_EADDRESS;
    /* Without brackets an IPv6 address and a port cannot be told apart. */
    if (!brackets && !port && memchr(host, ':', (size_t)(end - host))) return GY_EADDRESS;
    int err = gyi_dns_check_host(host, (size_t)(end - host));
    if (!err) err = dial_copy(out->host, sizeof out->host, host, (size_t)(end - host));
    if (err) return err;
    end += brackets;
    out->service[0] = 0;
    if (port) return *end ? GY_EADDRESS : 0;
    size_t len = strlen(end);
    if (len < 2 || end[0] != ':' || len > sizeof out->service) return GY_EADDRESS;
    return dial_copy(out->service, sizeof out->service, end + 1, len - 1);
}

/* The port, when it is a number; 0 is none to connect to. */
static int dial_port(const dial_host *host, uint16_t *port) {
    if (*port) return 0;
    int err = gyi_dns_port(host->service, port);
    if (err == -EINVAL) return 0; /* a name */
    return err || !*port ? GY_EADDRESS : 0;
}

/* Fixes the family by the address to connect from. */
static int dial_from(gy_dial *d, gy_dial_opts *opts) {
    gyi_sockaddr from;
    d->priv.from.text[0] = 0;
    if (!opts->from) return 0;
    if (opts->from[0] == '*' || gyi_addr_parse(opts->from, &from)) return GY_EADDRESS;
    gy_dns_family family = from.addr.ss_family == AF_INET ? GY_DNS_V4 : GY_DNS_V6;
    if (opts->family != GY_DNS_ANY && opts->family != family) return -EINVAL;
    opts->family = family;
    gyi_addr_format(&from, &d->priv.from);
    return 0;
}

static int dial_ask(gy_loop *loop, gy_dial *d, const gy_dial_opts *opts) {
    dial_host host;
    uint16_t port = opts->port;
    int err = dial_split(opts->host, port, &host);
    if (!err) err = dial_port(&host, &port);
    if (err) return err;
    gy_dns_opts ask = {.host = host.host,
                       .service = port ? NULL : host.service,
                       .port = port,
                       .family = opts->family,
                       .pool = opts->pool,
                       .resolve = opts->resolve,
                       .resolve_user = opts->resolve_user};
    return gy_dns_lookup(loop, &d->priv.dns, ask, dial_resolved);
}

static int dial_check(const gy_dial_opts *opts) {
    if (!opts->fn || !opts->host == !opts->addrs || (opts->addrs && !opts->count)) return -EINVAL;
    if ((unsigned)opts->family > GY_DNS_V6 || opts->timeout < 0 || opts->delay < 0) return -EINVAL;
    return 0;
}

int gy_dial_start(gy_loop *loop, gy_dial *d, gy_stream *stream, gy_dial_opts opts) {
    int err = dial_check(&opts);
    if (err) return err;
    if (d->priv.state != DIAL_IDLE || stream->priv.state) return -EALREADY;
    err = dial_from(d, &opts);
    if (err) return err;
    d->loop = loop;
    d->stream = stream;
    d->tried = 0;
    d->priv.fn = opts.fn;
    d->priv.delay = opts.delay ? opts.delay : DIAL_DELAY;
    d->priv.most = opts.most ? opts.most : DIAL_MOST;
    d->priv.entry.run = dial_run;
    err = opts.addrs ? dial_race(d, opts.addrs, opts.count, opts.family) : dial_ask(loop, d, &opts);
    if (err) return err;
    d->priv.state = opts.addrs ? DIAL_GIVEN : DIAL_ASKING;
    if (opts.addrs) gyi_queue_push(loop, &d->priv.entry);
    if (opts.timeout) gy_timer_start(loop, &d->priv.limit, (gy_timer_opts){.fn = dial_late, .after = opts.timeout});
    return 0;
}
