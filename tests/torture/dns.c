/* SPDX-License-Identifier: ISC */
/* What is tortured about names: a look-up there and one back, and a dial of a name whose first address refuses, both by
 * a resolver of the scenario's own. */
#include "torture.h"

#include <string.h>

typedef struct phone {
    torture t;
    gy_stream server, near, far;
    gy_dns name, back, localhost;
    gy_dial dial;
    gy_addr good, refused;
    int asking, open;
    int answers;
} phone;

static void phone_closed(gy_stream *s) { ((phone *)s->user)->open--; }

static void phone_answered(phone *p, int err) {
    p->asking--;
    if (torture_try(&p->t, err)) p->t.done = ++p->answers == 4;
}

static void phone_named(gy_dns *req, int err) { phone_answered(req->user, err); }

static void phone_dialled(gy_dial *dial, int err) {
    phone *p = dial->user;
    if (!err) p->open++;
    phone_answered(p, err);
}

static void phone_accept(gy_stream *server, int err) {
    phone *p = server->user;
    if (torture_try(&p->t, err) && torture_try(&p->t, gy_stream_accept(server, &p->far))) p->open++;
}

static int phone_resolve(const gy_dns_question *q, gy_dns_answer *answer) {
    const phone *p = q->user;
    int err = gy_dns_answer_name(answer, "a.name");
    if (!err) err = gy_dns_answer_add(answer, p->refused.text);
    if (!err) err = gy_dns_answer_add(answer, p->good.text);
    for (int i = 0; i < 4 && !err; i++) err = gy_dns_answer_add(answer, p->refused.text);
    return err;
}

static void phone_ask(torture *t) {
    phone *p = (phone *)t;
    gy_dns_opts name = {.host = "a.name", .flags = GY_DNS_CANON, .resolve = phone_resolve, .resolve_user = p};
    gy_dns_reverse_opts back = {.addr = "127.0.0.1:80", .flags = GY_DNS_NUMERIC_HOST | GY_DNS_NUMERIC_PORT};
    gy_dns_opts localhost = {.host = "127.0.0.1", .service = "80", .flags = GY_DNS_CANON | GY_DNS_NUMERIC_HOST};
    gy_dial_opts dial = {.host = "a.name:80", .resolve = phone_resolve, .resolve_user = p, .fn = phone_dialled};
    if (!torture_try(t, gy_dns_lookup(t->loop, &p->name, name, phone_named))) return;
    p->asking++;
    if (!torture_try(t, gy_dns_reverse(t->loop, &p->back, back, phone_named))) return;
    p->asking++;
    if (!torture_try(t, gy_dns_lookup(t->loop, &p->localhost, localhost, phone_named))) return;
    p->asking++;
    if (!torture_try(t, gy_dial_start(t->loop, &p->dial, &p->near, dial))) return;
    p->asking++;
}

static void phone_begin(torture *t) {
    phone *p = (phone *)t;
    p->server.user = p->near.user = p->far.user = p->name.user = p->back.user = p->localhost.user = p->dial.user = p;
    gy_listen_opts listen = {.addr = "127.0.0.1:0", .fn = phone_accept};
    if (!torture_try(t, gy_tcp_listen(t->loop, &p->server, listen))) return;
    p->open++;
    if (!torture_try(t, gy_stream_local_addr(&p->server, &p->good))) return;
    memcpy(p->refused.text, "127.0.0.1:1", sizeof "127.0.0.1:1");
    phone_ask(t);
}

static void phone_hang_up(phone *p) {
    gy_stream_close(&p->server, phone_closed);
    gy_stream_close(&p->near, phone_closed);
    gy_stream_close(&p->far, phone_closed);
}

static void phone_end(torture *t) { phone_hang_up((phone *)t); }

/* Resolvers come back by themselves here; a dial may still connect after the end was asked for. */
static bool phone_ended(torture *t) {
    phone *p = (phone *)t;
    phone_hang_up(p);
    if (p->asking || p->open) return false;
    gy_dns_release(&p->name);
    gy_dns_release(&p->back);
    gy_dns_release(&p->localhost);
    return true;
}

TEST_BACKENDS(torture, names_and_dials) {
    torture_run(backend, &(torture_scenario){
                             .size = sizeof(phone), .begin = phone_begin, .end = phone_end, .ended = phone_ended});
}
