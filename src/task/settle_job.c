/* SPDX-License-Identifier: ISC */
/* Jobs of the queue as promises (request.c): the end of a turn, for instance, as something to wait for. */
#include "gyre/job.h"
#include "gyre/request.h"

static void settle_job_cancel(void *request) {
    gy_job *job = request;
    (void)gy_job_cancel(job);
    gy_request_settle(&job->user, &gy_kind_job, gy_err(GY_ECANCELED));
}

const gy_request_kind gy_kind_job = {settle_job_cancel};

void gy_settle_job(gy_job *job) { gy_request_settle(&job->user, &gy_kind_job, gy_num(0)); }
