/* SPDX-License-Identifier: ISC */
/* The ends of processes as promises (request.c). In a file of its own, for programs that start none. */
#include "gyre/process.h"
#include "gyre/request.h"

enum { SETTLE_SIGKILL = 9 }; /* on every system */

static void settle_exit_cancel(void *request) { gy_process_kill(request, SETTLE_SIGKILL); }

static void settle_run_cancel(void *request) { gy_run_cancel(request); }

const gy_request_kind gy_kind_exit = {settle_exit_cancel};
const gy_request_kind gy_kind_run = {settle_run_cancel};

void gy_settle_exit(gy_process *process, int err, gy_exit how) {
    int64_t code = how.signo ? -(int64_t)how.signo : how.code;
    gy_request_settle(&process->user, &gy_kind_exit, err ? gy_err(err) : gy_num(code));
}

void gy_settle_run(gy_run *run, int err) {
    gy_request_settle(&run->user, &gy_kind_run, err ? gy_err(err) : gy_ptr(run));
}
