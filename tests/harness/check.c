/* SPDX-License-Identifier: ISC */
/* What a failed check says, the same under Criterion and under our own runner.
 *
 * This file owns the text of the last failure and the name of the backend under test. It decides nothing: the macros
 * in harness.h end the test. The text is per thread, because a check may fail in a thread that the test has started. */
#include "harness.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static _Thread_local char check_text[1024];
static const char *check_backend;

const char *const gy_test_backends[GY_TEST_BACKENDS] = {"epoll", "kqueue", "poll", "sim"};

const char *gy_test_why(void) { return check_text; }

void gy_test_about(const char *backend) { check_backend = backend; }

void gy_test_because(const char *format, ...) {
    va_list args;
    va_start(args, format);
    int n = vsnprintf(check_text, sizeof check_text, format, args);
    va_end(args);
    if (check_backend && n >= 0 && (size_t)n < sizeof check_text)
        snprintf(check_text + n, sizeof check_text - (size_t)n, " [%s]", check_backend);
}

bool gy_test_equal(const char *a_text, const char *b_text, long long a, long long b) {
    if (a == b) return true;
    gy_test_because("%s == %s: %lld and %lld", a_text, b_text, a, b);
    return false;
}

bool gy_test_same(const char *a_text, const char *b_text, const char *a, const char *b) {
    if (a == b || (a && b && strcmp(a, b) == 0)) return true;
    const char *a_quote = a ? "\"" : "", *b_quote = b ? "\"" : "";
    gy_test_because("%s == %s: %s%.400s%s and %s%.400s%s", a_text, b_text, a_quote, a ? a : "NULL", a_quote, b_quote,
                    b ? b : "NULL", b_quote);
    return false;
}

#ifndef GY_HARNESS
size_t gy_test_params(gy_test_param **out) {
    static gy_test_param params[GY_TEST_BACKENDS];
    size_t count = 0;
    for (int i = 0; i < GY_TEST_BACKENDS; i++)
        if (gy_test_backend_available(gy_test_backends[i]))
            snprintf(params[count++].backend, sizeof params[0].backend, "%s", gy_test_backends[i]);
    *out = params;
    return count;
}
#endif
