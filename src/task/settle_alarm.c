/* SPDX-License-Identifier: ISC */
/* Alarms as promises (request.c). In a file of its own, for programs that set none. */
#include "gyre/timer.h"
#include "gyre/request.h"

static void settle_alarm_cancel(void *request) {
    gy_alarm *alarm = request;
    gy_alarm_stop(alarm);
    gy_request_settle(&alarm->user, &gy_kind_alarm, gy_err(GY_ECANCELED));
}

const gy_request_kind gy_kind_alarm = {settle_alarm_cancel};

void gy_settle_alarm(gy_alarm *alarm) { gy_request_settle(&alarm->user, &gy_kind_alarm, gy_num(0)); }
