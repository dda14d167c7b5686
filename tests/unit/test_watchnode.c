/* SPDX-License-Identifier: ISC */
/* The tree of nodes: places, paths, moves, and what goes with a directory. */
#include "watchers.h"

static gyi_node *node_in(gyi_watcher *w, gyi_node *dir, const char *name) {
    gyi_node *node = gyi_node_new(w, dir, name, 1, GYI_FILE_SOCKET);
    CHECK(node != NULL);
    gyi_node_place(w, node);
    return node;
}

TEST(watchnode, places_and_moves) {
    watched t;
    watched_begin(&t, 0);
    gyi_watcher *w = t.w;
    gyi_list_init(&w->marked);
    gyi_list_init(&w->looked);
    w->top = gyi_node_new(w, NULL, "", 0, GYI_FILE_DIR);
    CHECK(w->top != NULL);
    gyi_node_place(w, w->top);
    gyi_node *d = node_in(w, w->top, "d"), *e = node_in(w, d, "e"), *a = node_in(w, e, "a");
    node_in(w, d, "a");
    CHECK_STR(gyi_node_path(w, w->top), "");
    CHECK_STR(gyi_node_path(w, a), "d/e/a");
    CHECK(gyi_node_find(w, e, "a") == a && !gyi_node_find(w, w->top, "a"));
    gyi_node *to = gyi_node_new(w, w->top, "other", 2, GYI_FILE_SOCKET);
    CHECK(to != NULL && !gyi_node_find(w, w->top, "other"));
    gyi_node_move(w, e, to);
    CHECK(gyi_node_find(w, w->top, "other") == e && !gyi_node_find(w, d, "e"));
    CHECK_STR(gyi_node_path(w, a), "other/a");
    gyi_node_mark(w, a, 1);
    gyi_node_mark(w, a, 2);
    CHECK(a->got == 3 && w->marked.next == &a->link && w->marked.prev == &a->link);
    gyi_node_drop(w, e);
    CHECK(gyi_list_empty(&w->marked) && !gyi_node_find(w, w->top, "other"));
    CHECK_EQ(w->names.count, 3);
    gyi_nodes_free(w);
    CHECK(!w->top && w->names.count == 0);
    watched_end(&t);
}
