/* SPDX-License-Identifier: ISC */
/* Which backend is chosen: by name, by the environment, or the first that there is. */
#include <stdlib.h>
#include <string.h>

#include "backends/backend.h"
#include "harness.h"

TEST(pick, by_name) {
    for (int i = 0; gyi_backends[i]; i++) CHECK(gyi_backend_find(gyi_backends[i]->name) == gyi_backends[i]);
    CHECK(gyi_backend_find("abacus") == NULL);
    CHECK(gyi_backend_find("POLL") == NULL);
    CHECK(gyi_backend_find("poll") == &gyi_backend_poll);
}

TEST(pick, by_the_environment_when_no_name_is_given) {
    const char *set = getenv("GYRE_BACKEND");
    char kept[32] = "";
    if (set) strncpy(kept, set, sizeof kept - 1);
    CHECK_EQ(unsetenv("GYRE_BACKEND"), 0);
    CHECK(gyi_backend_find(NULL) == gyi_backends[0]);
    CHECK_EQ(setenv("GYRE_BACKEND", "", 1), 0);
    CHECK(gyi_backend_find(NULL) == gyi_backends[0]);
    CHECK_EQ(setenv("GYRE_BACKEND", "poll", 1), 0);
    CHECK(gyi_backend_find(NULL) == &gyi_backend_poll);
    CHECK(gyi_backend_find("sim") == &gyi_backend_sim);
    CHECK_EQ(setenv("GYRE_BACKEND", "abacus", 1), 0);
    CHECK(gyi_backend_find(NULL) == NULL);
    CHECK_EQ(unsetenv("GYRE_BACKEND"), 0);
    if (kept[0]) CHECK_EQ(setenv("GYRE_BACKEND", kept, 1), 0);
}

TEST(pick, the_best_is_first_and_virtual_time_is_last) {
    int n = 0;
    while (gyi_backends[n]) n++;
    CHECK(n >= 2);
    CHECK(gyi_backends[0] != &gyi_backend_sim);
    CHECK(gyi_backends[n - 1] == &gyi_backend_sim);
}
