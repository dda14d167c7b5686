/* SPDX-License-Identifier: ISC */
/* Queries without a request: what an answer takes, what a resolver's result becomes, and whose the memory is. */
#include "net/query.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"

static struct {
    atomic_int blocks, left;
} heap;

static void *heap_alloc(size_t size, void *ctx) {
    (void)ctx;
    if (atomic_fetch_sub(&heap.left, 1) <= 0) return NULL;
    atomic_fetch_add(&heap.blocks, 1);
    return malloc(size);
}

static void heap_free(void *ptr, void *ctx) {
    (void)ctx;
    atomic_fetch_sub(&heap.blocks, 1);
    free(ptr);
}

static gy_loop *query_loop(void) {
    gy_loop *loop;
    heap.left = 1000000;
    CHECK_EQ(gy_loop_new(&loop, (gy_loop_opts){.alloc = {heap_alloc, heap_free, NULL}}), 0);
    return loop;
}

static gyi_query *query_home;
static int query_err;

static void query_done(gy_work *work, int err) {
    query_home = GY_OF(work, gyi_query, work);
    query_err = err;
}

/* Asks and waits for the answer, which is to be freed. */
static gyi_query *query_ask(gy_loop *loop, gy_dns_question question, gy_resolve_fn *resolve) {
    gyi_query *q;
    query_home = NULL;
    gyi_query_opts opts = {.question = question, .resolve = resolve};
    CHECK_EQ(gyi_query_start(loop, &q, opts, query_done), 0);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK(query_home == q);
    CHECK_EQ(query_err, 0);
    return q;
}

static int many_resolve(const gy_dns_question *q, gy_dns_answer *answer) {
    char text[32];
    (void)q;
    if (gy_dns_answer_add(answer, "*:80") != GY_EADDRESS) return -1;
    if (gy_dns_answer_add(answer, "localhost:80") != GY_EADDRESS) return -1;
    if (gy_dns_answer_add(answer, "127.0.0.1") != GY_EADDRESS) return -1;
    for (int i = 1; i <= 100; i++) {
        snprintf(text, sizeof text, "127.0.0.%d:%d", i, i % 2 ? 0 : i);
        int err = gy_dns_answer_add(answer, text);
        if (!err) err = gy_dns_answer_add(answer, "[0:0::1]:7");
        if (!err) err = gy_dns_answer_name(answer, text);
        if (err) return err;
    }
    return 0;
}

TEST(query, an_answer_takes_any_number_of_addresses) {
    gy_loop *loop = query_loop();
    for (int family = GY_DNS_ANY; family <= GY_DNS_V6; family++) {
        gy_dns_question ask = {.host = "x", .port = 9, .family = (gy_dns_family)family};
        gyi_query *q = query_ask(loop, ask, many_resolve);
        CHECK_EQ(q->err, 0);
        CHECK_EQ(q->answer.count, family == GY_DNS_ANY ? 200 : 100);
        CHECK_STR(q->answer.addrs[0].text, family == GY_DNS_V6 ? "[::1]:7" : "127.0.0.1:9");
        CHECK_STR(q->answer.name, "127.0.0.100:100");
        gyi_query_free(q);
    }
    CHECK_EQ(gy_loop_free(loop), 0);
    CHECK_EQ(heap.blocks, 0);
}

static int code_resolve(const gy_dns_question *q, gy_dns_answer *answer) {
    const int *code = q->user;
    int err = gy_dns_answer_add(answer, "127.0.0.1:1");
    return err ? err : *code;
}

static int nothing_resolve(const gy_dns_question *q, gy_dns_answer *answer) {
    (void)q;
    return gy_dns_answer_service(answer, "nothing");
}

TEST(query, what_a_resolver_returns) {
    gy_loop *loop = query_loop();
    static const int codes[][2] = {{0, 0}, {GY_ENONAME, GY_ENONAME}, {-EIO, -EIO}, {7, GY_ERESOLVER}};
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
        int code = codes[i][0];
        gyi_query *q = query_ask(loop, (gy_dns_question){.host = "x", .user = &code}, code_resolve);
        CHECK_EQ(q->err, codes[i][1]);
        CHECK_EQ(q->answer.count, !codes[i][1]);
        gyi_query_free(q);
    }
    gyi_query *q = query_ask(loop, (gy_dns_question){.host = "x"}, nothing_resolve);
    CHECK_EQ(q->err, GY_ENOADDRESS);
    gyi_query_free(q);
    q = query_ask(loop, (gy_dns_question){.addr = "127.0.0.1:1"}, nothing_resolve);
    CHECK_EQ(q->err, GY_ENONAME);
    gyi_query_free(q);
    CHECK_EQ(gy_loop_free(loop), 0);
    CHECK_EQ(heap.blocks, 0);
}

static int texts_resolve(const gy_dns_question *q, gy_dns_answer *answer) {
    if (strcmp(q->host, "host") || strcmp(q->service, "service") || q->addr || q->flags != 3) return -EIO;
    return gy_dns_answer_add(answer, "[::1]:5");
}

TEST(query, the_texts_are_copied) {
    gy_loop *loop = query_loop();
    char host[] = "host", service[] = "service";
    gyi_query *q;
    gyi_query_opts opts = {.question = {.host = host, .service = service, .flags = 3}, .resolve = texts_resolve};
    CHECK_EQ(gyi_query_start(loop, &q, opts, query_done), 0);
    memset(host, 'x', sizeof host - 1);
    memset(service, 'x', sizeof service - 1);
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK_EQ(query_home->err, 0);
    gyi_query_free(query_home);
    CHECK_EQ(gy_loop_free(loop), 0);
}

static int limited_resolve(const gy_dns_question *q, gy_dns_answer *answer) {
    atomic_store(&heap.left, *(const int *)q->user);
    int err = many_resolve(q, answer);
    atomic_store(&heap.left, 1000000);
    return err;
}

TEST(query, without_memory_it_says_so_and_keeps_nothing) {
    gy_loop *loop = query_loop();
    for (int left = 0; left < 8; left++) {
        gyi_query *q = query_ask(loop, (gy_dns_question){.host = "x", .user = &left}, limited_resolve);
        CHECK_EQ(q->err, -ENOMEM);
        CHECK(q->answer.addrs == NULL && q->answer.name == NULL);
        gyi_query_free(q);
    }
    gyi_query *none = (gyi_query *)1;
    heap.left = 0;
    CHECK_EQ(gyi_query_start(loop, &none, (gyi_query_opts){.question = {.host = "x"}}, query_done), -ENOMEM);
    CHECK(none == NULL);
    heap.left = 1000000;
    CHECK_EQ(gy_loop_free(loop), 0);
    CHECK_EQ(heap.blocks, 0);
}

#if defined(GYI_FAULTS) && GYI_FAULTS
static atomic_int query_lookups, query_over;

static int query_fault(gyi_syscall kind) {
    if (kind != GYI_SYS_LOOKUP) return 0;
    return atomic_fetch_add(&query_lookups, 1) < query_over ? -EOVERFLOW : 0;
}

TEST(query, room_for_a_name_grows_until_it_fits) {
    query_over = 0;
    gyi_sys_fault = query_fault; /* before there are threads, and until there are none any more */
    gy_loop *loop = query_loop();
    gy_dns_question ask = {.addr = "127.0.0.1:80", .flags = GY_DNS_NUMERIC_HOST | GY_DNS_NUMERIC_PORT};
    for (int over = 0; over < 20; over += 4) {
        query_over = over;
        query_lookups = 0;
        gyi_query *q = query_ask(loop, ask, NULL);
        CHECK_EQ(q->err, over < 9 ? 0 : -EOVERFLOW); /* from 256 bytes to 64 KiB */
        CHECK_EQ(query_lookups, over < 9 ? over + 1 : 9);
        if (!q->err) CHECK_STR(q->answer.name, "127.0.0.1");
        if (!q->err) CHECK_STR(q->answer.service, "80");
        gyi_query_free(q);
    }
    CHECK_EQ(gy_loop_free(loop), 0);
    gyi_sys_fault = NULL;
    CHECK_EQ(heap.blocks, 0);
}
#endif

TEST(query, one_that_was_let_go_of_before_it_began_frees_itself) {
    gy_loop *loop = query_loop();
    gyi_query *q;
    CHECK_EQ(gyi_query_start(loop, &q, (gyi_query_opts){.question = {.host = "x"}}, query_done), 0);
    gyi_query_let_go(q);
    CHECK(q->req == NULL);
    query_home = NULL;
    CHECK_EQ(gy_loop_run(loop), 0);
    CHECK(query_home == q);
    CHECK_EQ(query_err, GY_ECANCELED);
    gyi_query_free(q); /* as whoever gave `done` does */
    CHECK_EQ(gy_loop_free(loop), 0);
    CHECK_EQ(heap.blocks, 0);
}
