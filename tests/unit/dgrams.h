/* SPDX-License-Identifier: ISC */
/* The contract of what moves datagrams, for each of its implementations: what is sent comes, in order, with its sender;
 * a short count means the end; an error falls on the first. */
#ifndef GY_TESTS_UNIT_DGRAMS_H
#define GY_TESTS_UNIT_DGRAMS_H

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "harness.h"
#include "sys/dgram.h"

#define DGRAMS_FN __attribute__((unused)) static

typedef int dgrams_send_fn(gyi_sys *sys, int fd, const gyi_dgram_out *out, unsigned count);
typedef int dgrams_recv_fn(gyi_sys *sys, int fd, gyi_dgram_in *in, gyi_dgram_info *info, unsigned count, int *err);

typedef struct dgrams {
    gyi_sys sys;
    int a, b;
    gyi_sockaddr at_a, at_b;
    struct sockaddr_in6 from[GYI_DGRAM_BATCH];
    gyi_dgram_in in[GYI_DGRAM_BATCH];
    char room[GYI_DGRAM_BATCH][16];
} dgrams;

DGRAMS_FN int dgrams_socket(dgrams *d, gyi_sockaddr *at) {
    struct sockaddr_in in;
    gyi_sockaddr any = {.len = sizeof in};
    memset(&in, 0, sizeof in);
    in.sin_family = AF_INET;
    in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    memcpy(&any.addr, &in, sizeof in);
    int fd = gyi_dgram_open(&d->sys, AF_INET);
    CHECK(fd >= 0);
    CHECK_EQ(gyi_sock_bind(&d->sys, fd, &any), 0);
    CHECK_EQ(gyi_sock_local(&d->sys, fd, at), 0);
    return fd;
}

DGRAMS_FN void dgrams_place(dgrams *d) {
    for (int i = 0; i < GYI_DGRAM_BATCH; i++)
        d->in[i] = (gyi_dgram_in){.room = {d->room[i], 16}, .from = &d->from[i], .from_len = sizeof d->from[i]};
}

DGRAMS_FN void dgrams_open(dgrams *d) {
    memset(d, 0, sizeof *d);
    d->a = dgrams_socket(d, &d->at_a);
    d->b = dgrams_socket(d, &d->at_b);
    dgrams_place(d);
}

DGRAMS_FN void dgrams_close(dgrams *d) {
    close(d->a);
    close(d->b);
}

DGRAMS_FN void dgrams_contract(dgrams_send_fn *send, dgrams_recv_fn *recv) {
    dgrams d;
    char bytes[100], huge[70000] = "";
    gy_buf bufs[100];
    gyi_dgram_out out[100];
    int later = 7;
    dgrams_open(&d);
    CHECK_EQ(recv(&d.sys, d.b, d.in, NULL, 4, &later), -EAGAIN);
    CHECK_EQ(later, 0);
    for (int i = 0; i < 100; i++) {
        bytes[i] = (char)i;
        bufs[i] = (gy_buf){&bytes[i], i == 3 ? 0 : 1};
        out[i] = (gyi_dgram_out){&d.at_b.addr, d.at_b.len, 0, &bufs[i], 1, NULL};
    }
    CHECK_EQ(send(&d.sys, d.a, out, 1), 1);
    CHECK_EQ(send(&d.sys, d.a, out + 1, 99), GYI_DGRAM_BATCH);
    CHECK_EQ(recv(&d.sys, d.b, d.in, NULL, 10, &later), 10);
    for (int i = 0; i < 10; i++) {
        CHECK_EQ(d.in[i].len, i == 3 ? 0 : 1);
        CHECK(i == 3 || d.room[i][0] == (char)i);
        CHECK_EQ(d.in[i].from_len, d.at_a.len);
        CHECK_EQ(memcmp(&d.from[i], &d.at_a.addr, sizeof(struct sockaddr_in)), 0);
        CHECK(!d.in[i].truncated);
    }
    dgrams_place(&d);
    CHECK_EQ(recv(&d.sys, d.b, d.in, NULL, GYI_DGRAM_BATCH, &later), 55); /* fewer than asked for: the end */
    CHECK_EQ(d.room[54][0], 64);
    /* An error in the middle is met again as the first. */
    bufs[1] = (gy_buf){huge, sizeof huge};
    CHECK_EQ(send(&d.sys, d.a, out, 3), 1);
    CHECK_EQ(send(&d.sys, d.a, out + 1, 2), -EMSGSIZE);
    dgrams_place(&d);
    CHECK_EQ(recv(&d.sys, d.b, d.in, NULL, 10, &later), 1);
    bufs[0] = (gy_buf){bytes, 100};
    CHECK_EQ(send(&d.sys, d.a, out, 1), 1);
    dgrams_place(&d);
    CHECK_EQ(recv(&d.sys, d.b, d.in, NULL, 1, &later), 1);
    CHECK(d.in[0].truncated);
    CHECK(send(&d.sys, -1, out, 1) < 0);
    CHECK(send(&d.sys, -1, out, 5) < 0);
    CHECK_EQ(recv(&d.sys, -1, d.in, NULL, 5, &later), -EBADF);
    CHECK_EQ(later, 0);
    dgrams_close(&d);
}

#endif
