/* SPDX-License-Identifier: ISC */
/* Look-ups and connections to names as promises (request.c). In a file of its own, for programs without them: names
 * bring in much of the C library. */
#include "gyre/dns.h"
#include "gyre/request.h"

/* A look-up that hangs is let go of: its thread ends when it ends, and the request is free. */
static void settle_dns_cancel(void *request) { gy_dns_abandon(request); }

static void settle_dial_cancel(void *request) { gy_dial_cancel(request); }

const gy_request_kind gy_kind_dns = {settle_dns_cancel};
const gy_request_kind gy_kind_dial = {settle_dial_cancel};

void gy_settle_dns(gy_dns *req, int err) {
    gy_request_settle(&req->user, &gy_kind_dns, err ? gy_err(err) : gy_ptr(req));
}

void gy_settle_dial(gy_dial *dial, int err) {
    gy_request_settle(&dial->user, &gy_kind_dial, err ? gy_err(err) : gy_ptr(dial->stream));
}
