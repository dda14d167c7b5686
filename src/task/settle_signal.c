/* SPDX-License-Identifier: ISC */
/* The next signal as a promise (request.c). In a file of its own, for programs that watch none. */
#include "gyre/signal.h"
#include "gyre/request.h"

static void settle_signal_cancel(void *request) {
    gy_signal *signal = request;
    gy_signal_stop(signal);
    gy_request_settle(&signal->user, &gy_kind_signal, gy_err(GY_ECANCELED));
}

const gy_request_kind gy_kind_signal = {settle_signal_cancel};

void gy_settle_signal(gy_signal *signal, unsigned count) {
    gy_signal_stop(signal);
    gy_request_settle(&signal->user, &gy_kind_signal, gy_num((int64_t)count));
}
