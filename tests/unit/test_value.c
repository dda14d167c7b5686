/* SPDX-License-Identifier: ISC */
/* Values: what they are is told by their marks, and the marks do nothing. */
#include <errno.h>

#include "gyre/promise.h"
#include "harness.h"

TEST(value, an_error_is_told_from_a_number_and_a_pointer) {
    int x = 1;
    CHECK_EQ(gy_value_err(gy_err(-EIO)), -EIO);
    CHECK_EQ(gy_value_err(gy_num(-EIO)), 0);
    CHECK_EQ(gy_value_err(gy_ptr(&x)), 0);
    CHECK_EQ(gy_value_err(gy_own(&x, gyi_value_borrowed)), 0);
    CHECK(gyi_value_error != gyi_value_borrowed);
}

TEST(value, marks_are_destructors_that_do_nothing) {
    int x = 1;
    gyi_value_error(&x);
    gyi_value_borrowed(&x);
    CHECK_EQ(x, 1);
}
