/* SPDX-License-Identifier: ISC */
/* The last resort: one line on standard error, whole, and no harm when that is closed. */
#include <string.h>
#include <unistd.h>

#include "harness.h"
#include "sys/report.h"

TEST(report, writes_a_line_to_standard_error) {
    int ends[2], kept = dup(2);
    char got[64];
    CHECK(kept >= 0);
    CHECK_EQ(pipe(ends), 0);
    CHECK_EQ(dup2(ends[1], 2), 2);
    gyi_report("all is lost");
    gyi_report("");
    CHECK_EQ(dup2(kept, 2), 2);
    ssize_t n = read(ends[0], got, sizeof got - 1);
    CHECK_EQ(n, 13);
    got[n] = 0;
    CHECK_STR(got, "all is lost\n\n");
    close(ends[0]);
    close(ends[1]);
    close(kept);
}

TEST(report, ignores_that_nobody_can_hear_it) {
    int kept = dup(2);
    CHECK(kept >= 0);
    close(2);
    gyi_report("nobody hears this");
    CHECK_EQ(dup2(kept, 2), 2);
    close(kept);
}
