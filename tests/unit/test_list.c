/* SPDX-License-Identifier: ISC */
/* The intrusive list: a ring that stays whole whatever is taken from where. */
#include "base/list.h"
#include "harness.h"

static void check_order(const gyi_entry *list, const gyi_entry *base, const char *order) {
    const gyi_entry *e = list->next;
    CHECK(gyi_list_check(list));
    for (const char *c = order; *c; c++, e = e->next) CHECK(e == &base[*c - '0']);
    CHECK(e == list);
}

TEST(list, appends_takes_and_removes) {
    gyi_entry list, e[5] = {{0}};
    gyi_list_init(&list);
    CHECK(gyi_list_empty(&list) && gyi_list_check(&list));
    for (int i = 0; i < 5; i++) {
        CHECK(!gyi_entry_listed(&e[i]));
        gyi_list_append(&list, &e[i]);
        CHECK(gyi_entry_listed(&e[i]));
    }
    check_order(&list, e, "01234");
    gyi_list_remove(&e[2]);
    CHECK(!gyi_entry_listed(&e[2]));
    check_order(&list, e, "0134");
    CHECK(gyi_list_take(&list) == &e[0]);
    CHECK(!gyi_entry_listed(&e[0]));
    gyi_list_remove(&e[4]);
    gyi_list_append(&list, &e[0]);
    check_order(&list, e, "130");
    while (!gyi_list_empty(&list)) gyi_list_take(&list);
    CHECK(gyi_list_check(&list));
}

TEST(list, an_entry_is_a_place_to_insert_before) {
    gyi_entry list, e[3] = {{0}};
    gyi_list_init(&list);
    gyi_list_append(&list, &e[0]);
    gyi_list_append(&list, &e[1]);
    gyi_list_append(&e[1], &e[2]);
    check_order(&list, e, "021");
}

TEST(list, splices) {
    gyi_entry a, b, e[4] = {{0}};
    gyi_list_init(&a);
    gyi_list_init(&b);
    gyi_list_splice(&a, &b);
    CHECK(gyi_list_empty(&a) && gyi_list_empty(&b));
    gyi_list_append(&b, &e[0]);
    gyi_list_append(&b, &e[1]);
    gyi_list_splice(&a, &b);
    check_order(&a, e, "01");
    CHECK(gyi_list_empty(&b));
    gyi_list_append(&b, &e[2]);
    gyi_list_append(&b, &e[3]);
    gyi_list_splice(&a, &b);
    check_order(&a, e, "0123");
    check_order(&b, e, "");
}

TEST(list, check_sees_a_torn_ring) {
    gyi_entry list, e[2] = {{0}};
    gyi_list_init(&list);
    gyi_list_append(&list, &e[0]);
    gyi_list_append(&list, &e[1]);
    e[1].prev = &list;
    CHECK(!gyi_list_check(&list));
    e[1].prev = &e[0];
    e[0].next = NULL;
    CHECK(!gyi_list_check(&list));
}
