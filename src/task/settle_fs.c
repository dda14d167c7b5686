/* SPDX-License-Identifier: ISC */
/* File operations as promises (request.c). In a file of its own, for programs that have none. */
#include "gyre/request.h"

static void settle_fs_cancel(void *request) { gy_fs_cancel(request); }

const gy_request_kind gy_kind_fs = {settle_fs_cancel};

void gy_settle_fs(gy_fs *req, int err) {
    gy_request_settle(&req->user, &gy_kind_fs, err ? gy_err(err) : gy_num(req->result));
}
