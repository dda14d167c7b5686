/* SPDX-License-Identifier: ISC */
/* Pipelines as promises (request.c). In a file of its own, for programs that have none. */
#include "gyre/pipeline.h"
#include "gyre/request.h"

static void settle_pipeline_cancel(void *request) { gy_pipeline_stop(request); }

const gy_request_kind gy_kind_pipeline = {settle_pipeline_cancel};

void gy_settle_pipeline(gy_pipeline *pipeline, int err) {
    gy_value value = err ? gy_err(err) : gy_num((int64_t)pipeline->written_bytes);
    gy_request_settle(&pipeline->user, &gy_kind_pipeline, value);
}
