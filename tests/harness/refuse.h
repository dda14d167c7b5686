/* SPDX-License-Identifier: ISC */
/* System calls of one kind that fail with one error, from refuse() until refuse_nothing(). A test that wants the third
 * one to fail, or several kinds, hooks in by itself (gyi_sys_fault in sys/sys.h). */
#ifndef GY_TESTS_HARNESS_REFUSE_H
#define GY_TESTS_HARNESS_REFUSE_H

#include "sys/sys.h"

#if defined(GYI_FAULTS) && GYI_FAULTS

static gyi_syscall refused_kind;
static int refused_err;

static inline int refuse_hook(gyi_syscall kind) { return kind == refused_kind ? refused_err : 0; }

static inline void refuse(gyi_syscall kind, int err) {
    refused_kind = kind;
    refused_err = err;
    gyi_sys_fault = refuse_hook;
}

static inline void refuse_nothing(void) { gyi_sys_fault = NULL; }

#endif

#endif
