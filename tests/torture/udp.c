/* SPDX-License-Identifier: ISC */
/* What is tortured with datagrams: questions and their answers between two sockets, a batch in one turn, segments, and
 * options, from opening to the last close. A datagram may be lost, so the questions are asked again after a while. */
#include "torture.h"

#include <errno.h>
#include <string.h>

typedef struct mail {
    torture t;
    gy_udp near, far;
    gy_dgram ask[4], cut, answer[64];
    gy_timer again;
    gy_endpoint at;
    gy_buf big;
    int open, answers, flying, heard;
    char near_slots[16 * 64], far_slots[16 * 64], text[40];
} mail;

static void mail_closed(gy_udp *udp) { ((mail *)udp->user)->open--; }

static void mail_sent(gy_dgram *d, int err) {
    mail *m = d->user;
    m->flying--;
    if (err != GY_ECANCELED) torture_try(&m->t, err);
}

static void mail_far(gy_udp *udp, int err, const gy_udp_msg *msgs, unsigned count) {
    mail *m = udp->user;
    if (!torture_try(&m->t, err)) return;
    for (unsigned i = 0; i < count; i++) {
        gy_dgram *d = &m->answer[m->answers++ % 64];
        d->user = m;
        err = gy_udp_send(udp, d, (gy_buf){m->text, msgs[i].buf.len}, &msgs[i].from, mail_sent);
        if (!torture_try(&m->t, err)) return;
        m->flying++;
    }
}

/* The whole result: four answers and those to five segments. */
static void mail_near(gy_udp *udp, int err, const gy_udp_msg *msgs, unsigned count) {
    mail *m = udp->user;
    (void)msgs;
    if (!torture_try(&m->t, err)) return;
    m->heard += (int)count;
    if (m->heard >= 9) m->t.done = true;
}

static void mail_ask(mail *m) {
    for (int i = 0; i < 4; i++) {
        m->ask[i].user = m;
        if (!torture_try(&m->t, gy_udp_send(&m->near, &m->ask[i], (gy_buf){m->text, 7}, &m->at, mail_sent))) return;
        m->flying++;
    }
    m->cut.user = m;
    m->big = GY_BUF(m->text);
    gy_dgram_opts opts = {.from = &m->big, .count = 1, .to = &m->at, .segment = 9, .fn = mail_sent};
    if (torture_try(&m->t, gy_udp_sendv(&m->near, &m->cut, opts))) m->flying++;
}

static void mail_again(gy_timer *timer) {
    mail *m = GY_OF(timer, mail, again);
    if (m->flying == 0 && !m->t.told && !m->t.done) mail_ask(m);
}

static void mail_begin(torture *t) {
    mail *m = (mail *)t;
    m->near.user = m->far.user = m;
    if (!torture_try(t, gy_udp_open(t->loop, &m->far, (gy_udp_opts){.addr = "127.0.0.1:0", .reuseaddr = true}))) return;
    m->open++;
    if (!torture_try(t, gy_udp_local(&m->far, &m->at))) return;
    gy_udp_opts opts = {.addr = "127.0.0.1:0", .path_errors = true};
    int err = gy_udp_open(t->loop, &m->near, opts);
    opts.path_errors = false;
    if (err == -ENOTSUP) err = gy_udp_open(t->loop, &m->near, opts);
    if (!torture_try(t, err)) return;
    m->open++;
    if (!torture_try(t, gy_udp_set(&m->near, GY_UDP_TTL, 9))) return;
    if (!torture_try(t, gy_udp_multicast_by(&m->near, "127.0.0.1"))) return;
    gy_udp_recv_opts far = {.into = GY_BUF(m->far_slots), .size = 64, .fn = mail_far,
                            .info = GY_UDP_HOPS | GY_UDP_LOCAL};
    gy_udp_recv_opts near = {.into = GY_BUF(m->near_slots), .size = 512, .join = true, .fn = mail_near};
    if (!torture_try(t, gy_udp_recv_start(&m->far, far)) || !torture_try(t, gy_udp_recv_start(&m->near, near))) return;
    gy_timer_start(t->loop, &m->again, (gy_timer_opts){.fn = mail_again, .every = GY_MS(20)});
    mail_ask(m);
}

static void mail_end(torture *t) {
    mail *m = (mail *)t;
    gy_timer_stop(&m->again);
    gy_udp_close(&m->near, mail_closed);
    gy_udp_close(&m->far, mail_closed);
}

static bool mail_ended(torture *t) {
    const mail *m = (const mail *)t;
    return m->open == 0 && m->flying == 0;
}

TEST_BACKENDS(torture, udp) {
    torture_run(backend,
                &(torture_scenario){.size = sizeof(mail), .begin = mail_begin, .end = mail_end, .ended = mail_ended});
}
