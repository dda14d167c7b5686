/* SPDX-License-Identifier: ISC */
/* Sending datagrams and closing their sockets as promises (request.c). In a file of its own, for programs that send
 * none. */
#include "gyre/request.h"
#include "gyre/udp.h"

static void settle_dgram_cancel(void *request) { gy_dgram_cancel(request); }

const gy_request_kind gy_kind_dgram = {settle_dgram_cancel};
const gy_request_kind gy_kind_shut = {NULL};

void gy_settle_dgram(gy_dgram *dgram, int err) {
    gy_request_settle(&dgram->user, &gy_kind_dgram, err ? gy_err(err) : gy_num(0));
}

void gy_settle_shut(gy_udp *udp) { gy_request_settle(&udp->user, &gy_kind_shut, gy_num(0)); }
