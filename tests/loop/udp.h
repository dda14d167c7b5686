/* SPDX-License-Identifier: ISC */
/* What the tests of udp share, beside the kit of streams.h: a socket that notes what comes, and datagrams that note how
 * they ended. */
#ifndef GY_TESTS_LOOP_UDP_H
#define GY_TESTS_LOOP_UDP_H

#include "gyre/udp.h"
#include "streams.h"

enum { UDP_SLOT = 2048, UDP_SLOTS = 64 };

/* A socket on loopback with what it has received. */
typedef struct post {
    gy_udp udp;
    gy_endpoint at;    /* where it is */
    gy_udp_msg last;   /* the last datagram; its bytes are in `slots` */
    int calls, count;  /* of the callback; datagrams */
    int errors, err;   /* how many, and the last one */
    int most;          /* datagrams in one call */
    int closed;
    size_t bytes;
    unsigned char heard[4096]; /* the first byte of each datagram */
    char text[UDP_SLOT];       /* the last one as text */
    char slots[UDP_SLOTS * UDP_SLOT];
} post;

typedef struct letter {
    gy_dgram d;
    int err, done;
    int *order; /* counts; NULL: nobody counts */
    int place;  /* in the order of reports */
} letter;

KIT_FN void post_note(gy_udp *udp, int err, const gy_udp_msg *msgs, unsigned count) {
    post *p = GY_OF(udp, post, udp);
    p->calls++;
    if (err) {
        p->errors++;
        p->err = err;
    }
    if (err && count) p->last = msgs[0];
    if (err) return;
    CHECK(count > 0);
    if ((int)count > p->most) p->most = (int)count;
    for (unsigned i = 0; i < count; i++) {
        p->last = msgs[i];
        p->bytes += msgs[i].buf.len;
        if (msgs[i].buf.len) p->heard[p->count % 4096] = *(unsigned char *)msgs[i].buf.base;
        size_t len = msgs[i].buf.len < UDP_SLOT - 1 ? msgs[i].buf.len : UDP_SLOT - 1;
        if (len) memcpy(p->text, msgs[i].buf.base, len);
        p->text[len] = 0;
        p->count++;
    }
}

KIT_FN void post_closed(gy_udp *udp) { GY_OF(udp, post, udp)->closed++; }

KIT_FN post *post_new(void) {
    post *p = calloc(1, sizeof *p);
    CHECK(p != NULL);
    return p;
}

KIT_FN post *post_open_with(kit *k, gy_udp_opts opts) {
    post *p = post_new();
    CHECK_EQ(gy_udp_open(k->loop, &p->udp, opts), 0);
    CHECK_EQ(gy_udp_local(&p->udp, &p->at), 0);
    return p;
}

KIT_FN post *post_open(kit *k, const char *addr) { return post_open_with(k, (gy_udp_opts){.addr = addr}); }

KIT_FN void post_receive(post *p) {
    gy_udp_recv_opts opts = {.into = GY_BUF(p->slots), .size = UDP_SLOT, .fn = post_note};
    CHECK_EQ(gy_udp_recv_start(&p->udp, opts), 0);
}

/* Closes, waits for it, and overwrites the memory: nothing may look at it any more. */
KIT_FN void post_close(kit *k, post *p) {
    gy_udp_close(&p->udp, post_closed);
    kit_until(k, &p->closed, 1);
    memset(&p->udp, 0xA5, sizeof p->udp);
    kit_turns(k, 2);
    free(p);
}

KIT_FN void letter_done(gy_dgram *d, int err) {
    letter *l = GY_OF(d, letter, d);
    l->err = err;
    l->done++;
    if (l->order) l->place = (*l->order)++;
}

KIT_FN void letter_send(post *from, letter *l, const char *text, const gy_endpoint *to) {
    gy_buf buf = {(void *)(uintptr_t)text, strlen(text)};
    CHECK_EQ(gy_udp_send(&from->udp, &l->d, buf, to, letter_done), 0);
}

/* A port of loopback on which nobody is. */
KIT_FN gy_endpoint post_nobody(kit *k) {
    post *p = post_open(k, "127.0.0.1:0");
    gy_endpoint at = p->at;
    post_close(k, p);
    return at;
}

KIT_FN const char *post_text(const gy_endpoint *e) {
    static gy_addr text;
    gy_endpoint_text(e, &text);
    return text.text;
}

#endif
