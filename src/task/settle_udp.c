/* SPDX-License-Identifier: ISC */
/* Sending datagrams as promises (request.c). In a file of its own, for programs that send none. */
#include "gyre/request.h"
#include "gyre/udp.h"

const gy_request_kind gy_kind_dgram = {NULL};

void gy_settle_dgram(gy_dgram *dgram, int err) {
    gy_request_settle(&dgram->user, &gy_kind_dgram, err ? gy_err(err) : gy_num(0));
}
