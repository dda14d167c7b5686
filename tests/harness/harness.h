/* SPDX-License-Identifier: ISC */
/* The words that tests are written in, for two worlds.
 *
 * By default they are Criterion's, under our names. With GY_HARNESS they are those of the small runner in runner.c,
 * so that all tests become one program on a system that has a C compiler and nothing else. A test file includes this
 * header and no other of a test framework, and means the same in both worlds:
 *
 *     TEST(suite, name) { ... }            a test of its own, in a process of its own
 *     TEST_BACKENDS(suite, name) { ... }   the same once per backend that the machine has; `backend` is its name
 *     CHECK(condition)                     each of these ends the test when it does not hold
 *     CHECK_EQ(a, b)                       integers, evaluated once; both are shown
 *     CHECK_STR(a, b)                      strings, NULL allowed; both are shown
 *     CHECK_FAIL(format, ...)              ends the test as failed
 *     SKIP(reason)                         ends the test, neither passed nor failed
 *
 * A check that holds costs a comparison, in both worlds, so it may stand in a loop. Checks belong to the test's own
 * thread and process: only our runner survives one that fails elsewhere. */
#ifndef GY_TESTS_HARNESS_H
#define GY_TESTS_HARNESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How long a test may take, in seconds, before it is killed and counts as failed. */
#define GY_TEST_SECONDS 60

/* The backends that the library may have on some system; the tests ask which of them this one has. */
enum { GY_TEST_BACKENDS = 4 };
extern const char *const gy_test_backends[GY_TEST_BACKENDS];

/* Whether a loop can be made with that backend here. */
int gy_test_backend_available(const char *name);

/* The comparisons behind the checks. On failure they leave the message for gy_test_why(). */
bool gy_test_equal(const char *a_text, const char *b_text, long long a, long long b);
bool gy_test_same(const char *a_text, const char *b_text, const char *a, const char *b);
#if defined(__GNUC__) || defined(__clang__)
__attribute__((format(printf, 1, 2)))
#endif
void gy_test_because(const char *format, ...);

/* Names the backend that the running test is about, for the messages; NULL: none. */
void gy_test_about(const char *backend);

/* Why the last check failed. */
const char *gy_test_why(void);

/* clang-format off */
#define CHECK(condition)                                                                                              \
    do { if (!(condition)) { gy_test_because("%s", #condition); GY_TEST_END(); } } while (0)
#define CHECK_EQ(a, b)                                                                                                \
    do { if (!gy_test_equal(#a, #b, (long long)(a), (long long)(b))) GY_TEST_END(); } while (0)
#define CHECK_STR(a, b)                                                                                               \
    do { if (!gy_test_same(#a, #b, (a), (b))) GY_TEST_END(); } while (0)
#define CHECK_FAIL(...)                                                                                               \
    do { gy_test_because(__VA_ARGS__); GY_TEST_END(); } while (0)
/* clang-format on */

#ifdef GY_HARNESS

typedef struct gy_test gy_test;

/* A test as its file declares it. The runner links them in the order in which the files were linked. */
struct gy_test {
    const char *suite, *name;
    void (*run)(void);                        /* of TEST */
    void (*run_backend)(const char *backend); /* of TEST_BACKENDS */
    gy_test *next;
};

void gy_test_register(gy_test *test);
_Noreturn void gy_test_failed(const char *file, int line);
_Noreturn void gy_test_skipped(const char *file, int line, const char *reason);

#define GY_TEST_END() gy_test_failed(__FILE__, __LINE__)
#define SKIP(reason)  gy_test_skipped(__FILE__, __LINE__, (reason))

#define GY_TEST_DECLARE(test_suite, test_name, member)                                                                \
    __attribute__((constructor)) static void gy_add_##test_suite##_##test_name(void) {                                \
        static gy_test self = {.suite = #test_suite, .name = #test_name, .member = gy_do_##test_suite##_##test_name}; \
        gy_test_register(&self);                                                                                      \
    }

#define TEST(suite, name)                                                                                             \
    static void gy_do_##suite##_##name(void);                                                                         \
    GY_TEST_DECLARE(suite, name, run)                                                                                 \
    static void gy_do_##suite##_##name(void)

#define TEST_BACKENDS(suite, name)                                                                                    \
    static void gy_do_##suite##_##name(const char *backend);                                                          \
    GY_TEST_DECLARE(suite, name, run_backend)                                                                         \
    static void gy_do_##suite##_##name(const char *backend __attribute__((unused)))

#else

#include <criterion/criterion.h>
#include <criterion/parameterized.h>

/* Criterion hands a parameter to a process that shares no pointers with this one, so it is plain data. */
typedef struct gy_test_param {
    char backend[16];
} gy_test_param;

/* The parameters of every TEST_BACKENDS: the available backends. The array is static. */
size_t gy_test_params(gy_test_param **out);

#define GY_TEST_END() cr_assert_fail("%s", gy_test_why())
#define SKIP(reason)  cr_skip_test("%s", (reason))

#define TEST(suite, name) Test(suite, name, .timeout = GY_TEST_SECONDS)

#define TEST_BACKENDS(suite, name)                                                                                    \
    static void gy_do_##suite##_##name(const char *backend);                                                          \
    ParameterizedTestParameters(suite, name) {                                                                        \
        gy_test_param *params = NULL;                                                                                 \
        size_t count = gy_test_params(&params);                                                                       \
        return cr_make_param_array(gy_test_param, params, count);                                                     \
    }                                                                                                                 \
    ParameterizedTest(gy_test_param *param, suite, name, .timeout = GY_TEST_SECONDS) {                                \
        gy_test_about(param->backend);                                                                                \
        gy_do_##suite##_##name(param->backend);                                                                       \
    }                                                                                                                 \
    static void gy_do_##suite##_##name(const char *backend __attribute__((unused)))

#endif
#endif
