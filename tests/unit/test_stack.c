/* SPDX-License-Identifier: ISC */
/* The stacks of a loop: their sizes, their reuse, their guards, and what happens without memory. */
#include "task/stack.h"

#include <errno.h>
#include <string.h>

#include "harness.h"
#include "sys/memory.h"

static gy_loop *loop;
static gyi_stacks *stacks;

static void begin(void) {
    CHECK_EQ(gy_loop_new(&loop, (gy_loop_opts){.backend = "sim"}), 0);
    stacks = gyi_stacks_of(loop);
    CHECK(stacks != NULL && gyi_stacks_of(loop) == stacks);
}

static void end(void) { CHECK_EQ(gy_loop_free(loop), 0); }

TEST(stack, it_has_the_size_of_the_loop_or_more_if_asked_for) {
    begin();
    gyi_stack *a = gyi_stack_take(stacks, 0), *b = gyi_stack_take(stacks, 70000), *c = gyi_stack_take(stacks, 1);
    CHECK_EQ(a->size, 65536 - stacks->page);
    CHECK_EQ(b->size, 131072 - stacks->page);
    CHECK_EQ(c->size, stacks->least - stacks->page);
    memset(a->low, 1, a->size);
    memset(b->low, 2, b->size);
    CHECK_EQ(gyi_stack_top(a)[-1], 1);
    CHECK_EQ((uintptr_t)gyi_stack_top(a) % stacks->page, 0);
    CHECK(gyi_stack_take(stacks, (size_t)1 << 31) == NULL);
    CHECK_EQ(stacks->used, 3);
    end();
}

TEST(stack, the_one_that_was_used_last_is_used_next) {
    begin();
    gyi_stack *a = gyi_stack_take(stacks, 0), *b = gyi_stack_take(stacks, 0);
    uint64_t calls = loop->sys.count[GYI_SYS_MEMORY];
    gyi_stack_give(stacks, a);
    gyi_stack_give(stacks, b);
    CHECK_EQ(stacks->kept, 2);
    CHECK(gyi_stack_take(stacks, 0) == b);
    CHECK(gyi_stack_take(stacks, 0) == a);
    CHECK_EQ(stacks->kept, 0);
    CHECK_EQ(loop->sys.count[GYI_SYS_MEMORY], calls);
    end();
}

TEST(stack, beyond_the_cap_the_memory_is_given_back) {
    begin();
    stacks->keep = 1;
    gyi_stack *a = gyi_stack_take(stacks, 0), *b = gyi_stack_take(stacks, 0);
    memset(a->low, 1, a->size);
    memset(b->low, 1, b->size);
    gyi_stack_give(stacks, a);
    gyi_stack_give(stacks, b);
    CHECK_EQ(stacks->kept, 1);
#ifdef __linux__
    CHECK_EQ(b->low[0], 0);
#endif
    CHECK_EQ(a->low[0], 1);
    CHECK(gyi_stack_take(stacks, 0) == a);
    CHECK(gyi_stack_take(stacks, 0) == b);
    end();
}

TEST(stack, guards_are_made_up_to_a_number_and_below_the_stack) {
    begin();
    stacks->guards_most = 2;
    gyi_stack *s[4];
    for (int i = 0; i < 4; i++) s[i] = gyi_stack_take(stacks, 0);
    CHECK_EQ(stacks->guards, 2);
    CHECK_EQ(stacks->unguarded, 2);
    CHECK(s[1]->guarded && !s[2]->guarded);
    CHECK(gyi_stacks_guard_at(stacks, s[0]->low - 1));
    CHECK(gyi_stacks_guard_at(stacks, s[1]->low - stacks->page));
    CHECK(!gyi_stacks_guard_at(stacks, s[0]->low));
    CHECK(!gyi_stacks_guard_at(stacks, &loop));
    end();
}

TEST(stack, the_deepest_use_is_known) {
    begin();
    size_t deep;
    if (gyi_memory_touched(&loop->sys, gyi_stack_take(stacks, 0)->low, stacks->page, &deep)) SKIP("not on this system");
    gyi_stack *s = gyi_stack_take(stacks, 0);
    gyi_stack_top(s)[-(int)(2 * stacks->page)] = 1;
    CHECK_EQ(gyi_stacks_deepest(stacks), 2 * stacks->page);
    end();
}

#if defined(GYI_FAULTS) && GYI_FAULTS
static int number, fail_from;

static int fault(gyi_syscall kind) { return kind == GYI_SYS_MEMORY && ++number >= fail_from ? -ENOMEM : 0; }

TEST(stack, without_memory_there_is_none_and_without_mappings_no_guard) {
    begin();
    fail_from = 1;
    gyi_sys_fault = fault;
    CHECK(gyi_stack_take(stacks, 0) == NULL);
    CHECK_EQ(stacks->used, 0);
    gyi_sys_fault = NULL;
    gyi_stack *a = gyi_stack_take(stacks, 0);
    CHECK(a && a->guarded);
    number = 0;
    gyi_sys_fault = fault;
    gyi_stack *b = gyi_stack_take(stacks, 0);
    gyi_sys_fault = NULL;
    CHECK(b && !b->guarded);
    CHECK_EQ(stacks->unguarded, 1);
    end();
}
#endif
