/* SPDX-License-Identifier: ISC */
/* Jobs of a pool as promises (request.c). In a file of its own, for programs that have no pool. */
#include "gyre/request.h"

static void settle_work_cancel(void *request) { gy_pool_cancel(request); }

const gy_request_kind gy_kind_work = {settle_work_cancel};

void gy_settle_work(gy_work *work, int err) {
    gy_request_settle(&work->user, &gy_kind_work, err ? gy_err(err) : gy_ptr(work));
}
