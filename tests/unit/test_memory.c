/* SPDX-License-Identifier: ISC */
/* Memory by the page: it is there, it is guarded, it is given back, and every call can fail. */
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness.h"
#include "refuse.h"
#include "sys/memory.h"

TEST(memory, a_mapping_is_zeroed_and_can_be_written) {
    gyi_sys sys = {{0}};
    size_t page = gyi_memory_page();
    void *ptr = NULL;
    CHECK(page >= 4096 && (page & (page - 1)) == 0);
    CHECK_EQ(gyi_memory_map(&sys, 8 * page, &ptr), 0);
    char *bytes = ptr;
    for (size_t i = 0; i < 8 * page; i += page / 2) CHECK_EQ(bytes[i], 0);
    memset(bytes, 1, 8 * page);
    CHECK_EQ(bytes[8 * page - 1], 1);
    gyi_memory_unmap(&sys, ptr, 8 * page);
    CHECK(sys.count[GYI_SYS_MEMORY] >= 2);
}

TEST(memory, it_is_told_how_deep_a_part_was_used) {
    gyi_sys sys = {{0}};
    size_t page = gyi_memory_page(), deep = 1, size = 600 * page;
    void *ptr = NULL;
    CHECK_EQ(gyi_memory_map(&sys, size, &ptr), 0);
    if (gyi_memory_touched(&sys, ptr, size, &deep)) SKIP("this system does not tell");
    CHECK_EQ(deep, 0);
    ((char *)ptr)[size - 1] = 1;
    CHECK_EQ(gyi_memory_touched(&sys, ptr, size, &deep), 0);
    CHECK_EQ(deep, page);
    ((char *)ptr)[300 * page] = 1;
    CHECK_EQ(gyi_memory_touched(&sys, ptr, size, &deep), 0);
    CHECK_EQ(deep, 300 * page);
#ifdef __linux__
    gyi_memory_forget(&sys, ptr, size);
    CHECK_EQ(gyi_memory_touched(&sys, ptr, size, &deep), 0);
    CHECK_EQ(deep, 0);
#endif
    gyi_memory_unmap(&sys, ptr, size);
}

TEST(memory, a_guard_kills_who_touches_it) {
    gyi_sys sys = {{0}};
    size_t page = gyi_memory_page();
    void *ptr = NULL;
    CHECK_EQ(gyi_memory_map(&sys, 4 * page, &ptr), 0);
    CHECK_EQ(gyi_memory_guard(&sys, ptr, page), 0);
    ((volatile char *)ptr)[page] = 1; /* the page above is as it was */
    int status = 0;
    pid_t pid = fork();
    if (pid == 0) {
        close(2); /* sanitizers write about it */
        ((volatile char *)ptr)[page - 1] = 1;
        _exit(0);
    }
    CHECK(waitpid(pid, &status, 0) == pid);
    CHECK(!WIFEXITED(status) || WEXITSTATUS(status) != 0);
    gyi_memory_unmap(&sys, ptr, 4 * page);
}

#if defined(GYI_FAULTS) && GYI_FAULTS
TEST(memory, every_call_can_fail) {
    gyi_sys sys = {{0}};
    size_t page = gyi_memory_page(), deep;
    void *ptr = NULL;
    CHECK_EQ(gyi_memory_map(&sys, page, &ptr), 0);
    ((char *)ptr)[0] = 7;
    refuse(GYI_SYS_MEMORY, -ENOMEM);
    void *other = &sys;
    CHECK_EQ(gyi_memory_map(&sys, page, &other), -ENOMEM);
    CHECK(other == &sys);
    CHECK_EQ(gyi_memory_guard(&sys, ptr, page), -ENOMEM);
    CHECK(gyi_memory_touched(&sys, ptr, page, &deep) < 0);
    gyi_memory_forget(&sys, ptr, page);
    CHECK_EQ(((char *)ptr)[0], 7);
    gyi_memory_unmap(&sys, ptr, page); /* cannot fail: nothing could be done about it */
    refuse_nothing();
}
#endif
