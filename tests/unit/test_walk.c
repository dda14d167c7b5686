/* SPDX-License-Identifier: ISC */
/* Walks: what is visited, how often, in which order, and what ends them. */
#include "files.h"

static gyi_sys sys;

typedef struct trip {
    gy_fs req;
    int visits, leaves, deepest, links;
    const char *skip, *stop; /* names */
    char last[64];
} trip;

static int trip_visit(gy_fs *req, const gy_fs_step *step) {
    trip *t = GY_OF(req, trip, req);
    struct stat st;
    CHECK_EQ(lstat(step->path, &st), 0);
    CHECK_EQ(st.st_ino, step->info->ino);
    size_t len = strlen(step->path), own = strlen(step->name);
    CHECK(own <= len && !strcmp(step->path + len - own, step->name));
    t->visits++;
    t->leaves += step->leaving;
    t->links += step->info->type == GY_FS_LINK;
    if ((int)step->depth > t->deepest) t->deepest = (int)step->depth;
    snprintf(t->last, sizeof t->last, "%s", step->name);
    if (t->stop && !strcmp(t->stop, step->name)) return -ECANCELED;
    return t->skip && !strcmp(t->skip, step->name);
}

static int trip_run(trip *t, const char *path, unsigned flags, int left) {
    files_memory m = {.left = left};
    files_request(&t->req, &m, (gyi_fs_in){.path = path, .visit = trip_visit, .flags = flags});
    int err = gyi_fs_walk(&t->req, &sys);
    CHECK_EQ(m.blocks, 0);
    return err;
}

static void walk_plant(folder *f) {
    folder_make(f);
    folder_dir(f, "t");
    folder_dir(f, "t/d");
    folder_dir(f, "t/d/e");
    folder_put(f, "t/a", "a");
    folder_put(f, "t/d/e/b", "b");
    CHECK_EQ(symlink("..", folder_path(f, "t/d/link")), 0);
}

TEST(walk, visits_everything_once_and_follows_no_link) {
    folder f;
    walk_plant(&f);
    trip all = {.visits = 0}, both = {.visits = 0}, less = {.skip = "d"}, file = {.visits = 0}, stop = {.stop = "b"};
    CHECK_EQ(trip_run(&all, folder_path(&f, "t"), 0, 100), 0);
    CHECK(all.visits == 6 && all.leaves == 0 && all.deepest == 3 && all.links == 1 && all.req.result == 6);
    CHECK_EQ(trip_run(&both, folder_path(&f, "t/"), GY_FS_WALK_LEAVE, 100), 0);
    CHECK(both.visits == 9 && both.leaves == 3);
    CHECK_EQ(trip_run(&less, folder_path(&f, "t"), GY_FS_WALK_LEAVE, 100), 0);
    CHECK(less.visits == 4 && less.leaves == 1);
    CHECK_STR(less.last, "t");
    CHECK_EQ(trip_run(&file, folder_path(&f, "t/a"), 0, 100), 0);
    CHECK_EQ(file.visits, 1);
    CHECK_STR(file.last, "a");
    CHECK_EQ(trip_run(&stop, folder_path(&f, "t"), 0, 100), -ECANCELED);
    CHECK_EQ(trip_run(&stop, folder_path(&f, "none"), 0, 100), -ENOENT);
    CHECK_EQ(trip_run(&stop, "", 0, 100), -ENOENT);
    folder_remove(&f);
}

TEST(walk, survives_every_failing_call_and_allocation) {
    folder f;
    int told = 0, calls, nth = 0;
    walk_plant(&f);
    int before = files_open();
    do {
        trip t = {.visits = 0};
        files_fail(++nth, -EIO);
        int err = trip_run(&t, folder_path(&f, "t"), 0, 100);
        calls = files_calls;
        files_fail(0, 0);
        told += err == -EIO;
        CHECK(err == 0 || err == -EIO);
        CHECK_EQ(files_open(), before);
    } while (calls >= nth);
    CHECK(told >= 15);
    for (int left = 0; left < 2; left++) {
        trip t = {.visits = 0};
        CHECK_EQ(trip_run(&t, folder_path(&f, "t"), 0, left), -ENOMEM);
        CHECK_EQ(files_open(), before);
    }
    folder_remove(&f);
}
