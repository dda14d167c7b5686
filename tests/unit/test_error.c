/* SPDX-License-Identifier: ISC */
/* Names and sentences of errors, and the version. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "gyre/base.h"
#include "harness.h"

TEST(error, names_are_those_of_the_source) {
    CHECK_STR(gy_error_name(0), "OK");
    CHECK_STR(gy_error_name(17), "OK");
    CHECK_STR(gy_error_name(GY_EOF), "GY_EOF");
    CHECK_STR(gy_error_name(GY_EBACKLOG), "GY_EBACKLOG");
    CHECK_STR(gy_error_name(-ECONNRESET), "ECONNRESET");
    CHECK_STR(gy_error_name(-EAGAIN), "EAGAIN");
    CHECK_STR(gy_error_name(-3999), "UNKNOWN");
    CHECK_STR(gy_error_name(-5000), "UNKNOWN");
    CHECK_STR(gy_error_name(INT32_MIN), "UNKNOWN");
}

static void check_own(int err, const char *name) {
    CHECK(err < -4000);
    CHECK_STR(gy_error_name(err), name);
    CHECK(strcmp(gy_error_text(err), gy_error_text(-3999)) != 0);
}

TEST(error, all_of_the_librarys_own_are_known) {
    check_own(GY_EOF, "GY_EOF");
    check_own(GY_ECANCELED, "GY_ECANCELED");
    check_own(GY_EUNHANDLED, "GY_EUNHANDLED");
    check_own(GY_ECLOSED, "GY_ECLOSED");
    check_own(GY_EADDRESS, "GY_EADDRESS");
    check_own(GY_EBACKLOG, "GY_EBACKLOG");
}

TEST(error, those_of_names_are_known) {
    check_own(GY_ENONAME, "GY_ENONAME");
    check_own(GY_ENOADDRESS, "GY_ENOADDRESS");
    check_own(GY_ENOSERVICE, "GY_ENOSERVICE");
    check_own(GY_ETRYAGAIN, "GY_ETRYAGAIN");
    check_own(GY_ERESOLVER, "GY_ERESOLVER");
}

TEST(error, texts_are_sentences_without_a_full_stop) {
    for (int err = -4030; err <= 1; err++) {
        const char *text = gy_error_text(err), *name = gy_error_name(err);
        size_t len = strlen(text);
        CHECK(len > 5 && text[len - 1] != '.' && text[len - 1] != '\n');
        CHECK(name[0] != 0);
    }
    CHECK_STR(gy_error_text(-EPIPE), "nobody reads the other end");
}

TEST(error, version_is_that_of_the_header) {
    char expected[32];
    snprintf(expected, sizeof expected, "%d.%d.%d", GY_VERSION_MAJOR, GY_VERSION_MINOR, GY_VERSION_PATCH);
    CHECK_STR(gy_version(), expected);
}
