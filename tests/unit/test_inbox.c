/* SPDX-License-Identifier: ISC */
/* The inbox: first in, first out for each producer, and nothing lost with several at once. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "base/inbox.h"
#include "harness.h"

TEST(inbox, gives_all_back_in_order_and_keeps_what_the_list_had) {
    gyi_inbox inbox;
    gyi_entry list, e[5] = {{0}};
    gyi_inbox_init(&inbox);
    gyi_list_init(&list);
    CHECK(gyi_inbox_empty(&inbox));
    CHECK_EQ(gyi_inbox_take(&inbox, &list), 0);
    CHECK(gyi_list_empty(&list));
    gyi_list_append(&list, &e[0]);
    for (int i = 1; i < 5; i++) {
        gyi_inbox_push(&inbox, &e[i]);
        CHECK(gyi_entry_listed(&e[i]));
    }
    CHECK(!gyi_inbox_empty(&inbox));
    CHECK_EQ(gyi_inbox_take(&inbox, &list), 4);
    CHECK(gyi_inbox_empty(&inbox) && gyi_list_check(&list));
    for (int i = 0; i < 5; i++) CHECK(gyi_list_take(&list) == &e[i]);
    CHECK(gyi_list_empty(&list));
}

enum { PRODUCERS = 4, EACH = 50000 };

struct item {
    gyi_entry entry;
    int producer, number;
};

struct producer {
    pthread_t thread;
    int number;
    struct item item[EACH];
};

static gyi_inbox shared;

static void *producer_main(void *arg) {
    struct producer *p = arg;
    for (int i = 0; i < EACH; i++) {
        p->item[i].producer = p->number;
        p->item[i].number = i;
        gyi_inbox_push(&shared, &p->item[i].entry);
    }
    return NULL;
}

TEST(inbox, several_producers_lose_nothing_and_keep_their_order) {
    struct producer *p = calloc(PRODUCERS, sizeof *p);
    int next[PRODUCERS] = {0}, got = 0, wrong = 0;
    gyi_entry list;
    CHECK(p != NULL);
    gyi_inbox_init(&shared);
    gyi_list_init(&list);
    for (int i = 0; i < PRODUCERS; i++) {
        p[i].number = i;
        CHECK_EQ(pthread_create(&p[i].thread, NULL, producer_main, &p[i]), 0);
    }
    while (got < PRODUCERS * EACH) {
        got += (int)gyi_inbox_take(&shared, &list);
        while (!gyi_list_empty(&list)) {
            gyi_entry *e = gyi_list_take(&list);
            struct item *x = GY_OF(e, struct item, entry);
            if (x->number != next[x->producer]++) wrong++;
        }
    }
    for (int i = 0; i < PRODUCERS; i++) pthread_join(p[i].thread, NULL);
    CHECK_EQ(got, PRODUCERS * EACH);
    CHECK_EQ(wrong, 0);
    CHECK(gyi_inbox_empty(&shared));
    free(p);
}
