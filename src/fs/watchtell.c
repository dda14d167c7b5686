/* SPDX-License-Identifier: ISC */
/* Events on their way to the user.
 *
 * They wait in one list in the order in which they happened. An entry of the callback queue tells the first that is due
 * and queues itself again if there are more, so each run calls the user once. With coalescing all are due the same time
 * after they happened, so the list is ordered by that too, and a timer queues the entry for the first.
 *
 * Merging looks for the last event of the same name that waits, in a table. A rename stands for itself: it is about two
 * names, and what is told of either of them after it is not merged with what was before it. When a directory goes or
 * moves, names below it are other files from then on, and nothing is merged across that.
 *
 * What was told is kept as a spare, so that a steady trickle of events allocates nothing. When there is no memory for
 * an event, its loss is told as a rescan, which needs none; nor does the end, which is told when nothing else waits,
 * and for which coalescing waits no longer. */
#include <string.h>

#include "base/alloc.h"
#include "fs/fswatch.h"

enum { TELL_ROOM = 128 }; /* at least, so that spares fit the next name */

/* ---- memory ------------------------------------------------------------------------------------------------------ */

static void told_spare(gyi_watcher *w, gyi_told *told) { gyi_list_append(&w->spare, &told->link); }

static gyi_told *told_take(gyi_watcher *w, size_t room) {
    gyi_told *told = NULL;
    if (!gyi_list_empty(&w->spare)) told = GY_OF(gyi_list_take(&w->spare), gyi_told, link);
    if (told && told->room >= room) return told;
    gyi_free(&w->loop->alloc, told);
    if (room < TELL_ROOM) room = TELL_ROOM;
    told = gyi_alloc_zero(&w->loop->alloc, sizeof *told + room);
    if (told) told->room = (uint32_t)room;
    return told;
}

gyi_told *gyi_told_new(gyi_watcher *w, const gyi_happened *what) {
    size_t dir = strlen(what->dir), name = strlen(what->name), slash = dir && name;
    gyi_told *told = told_take(w, dir + slash + name + 1);
    if (!told) {
        gyi_watcher_lost(w);
        return NULL;
    }
    memcpy(told->text, what->dir, dir);
    if (slash) told->text[dir] = '/';
    memcpy(told->text + dir + slash, what->name, name + 1);
    told->kind = what->kind;
    told->is_dir = what->is_dir;
    told->err = what->err;
    told->from = 0;
    return told;
}

/* ---- waiting ----------------------------------------------------------------------------------------------------- */

static gyi_told *tell_first(const gyi_watcher *w) {
    return gyi_list_empty(&w->waiting) ? NULL : GY_OF(w->waiting.next, gyi_told, link);
}

static void tell_due(gy_timer *timer) {
    gyi_watcher *w = GY_OF(timer, gyi_watcher, later);
    if (!gyi_entry_listed(&w->tell)) gyi_queue_push(w->loop, &w->tell);
}

/* Has the next event told when its time has come. */
static void tell_plan(gyi_watcher *w) {
    const gyi_told *first = tell_first(w);
    if (gyi_entry_listed(&w->tell)) return;
    if ((w->flags & (GYI_WATCHER_LOST | GYI_WATCHER_ENDING)) || (first && first->due <= gy_loop_now(w->loop)))
        gyi_queue_push(w->loop, &w->tell);
    else if (first && !gy_timer_active(&w->later))
        gy_timer_start(w->loop, &w->later, (gy_timer_opts){.fn = tell_due, .at = first->due});
}

void gyi_watcher_lost(gyi_watcher *w) {
    w->flags |= GYI_WATCHER_LOST;
    tell_plan(w);
}

void gyi_watcher_gone(gyi_watcher *w, int err) {
    if (w->flags & GYI_WATCHER_ENDING) return;
    w->flags |= GYI_WATCHER_ENDING;
    w->end = err;
    tell_plan(w);
}

/* ---- merging ----------------------------------------------------------------------------------------------------- */

static void told_name(gyi_watcher *w, gyi_told *told, gyi_told_name *name, const char *text) {
    name->of = told;
    gyi_table_add(&w->names_waiting, &w->loop->alloc, &name->row, gyi_table_hash(0, text));
}

/* Whether it changes what names below its own mean. */
static bool told_bounds(const gyi_told *told) {
    return told->is_dir && (told->kind == GY_FSWATCH_REMOVED || told->kind == GY_FSWATCH_RENAMED);
}

static void told_list(gyi_watcher *w, gyi_told *told) {
    gyi_list_append(&w->waiting, &told->link);
    told->order = ++w->order;
    if (told_bounds(told)) w->bound = told->order;
    if (!w->coalesce) return;
    told_name(w, told, &told->name[0], told->text);
    if (told->from) told_name(w, told, &told->name[1], told->text + told->from);
}

static void told_unlist(gyi_watcher *w, gyi_told *told) {
    gyi_list_remove(&told->link);
    if (!w->coalesce) return;
    gyi_table_remove(&w->names_waiting, &told->name[0].row);
    if (told->from) gyi_table_remove(&w->names_waiting, &told->name[1].row);
}

/* The last event that waits and is about this name, unless that is a rename, or a bound is behind it. */
static gyi_told *told_same(const gyi_watcher *w, const char *name) {
    uint32_t hash = gyi_table_hash(0, name);
    for (gyi_row *row = gyi_table_first(&w->names_waiting, hash); row; row = gyi_table_next(row)) {
        gyi_told *told = GY_OF(row, gyi_told_name, row)->of;
        bool renamed = told->kind == GY_FSWATCH_RENAMED;
        if (renamed && (!strcmp(told->text, name) || !strcmp(told->text + told->from, name))) return NULL;
        if (!renamed && !strcmp(told->text, name)) return told->order > w->bound ? told : NULL;
    }
    return NULL;
}

static bool told_minor(gy_fswatch_kind kind) { return kind == GY_FSWATCH_CHANGED || kind == GY_FSWATCH_ATTRIBUTES; }

/* Whether `told` could become part of `before`. */
static bool told_merge(gyi_told *before, const gyi_told *told) {
    if (before->err || told->err || before->kind > GY_FSWATCH_ATTRIBUTES || told->kind > GY_FSWATCH_ATTRIBUTES)
        return false;
    if (before->kind == GY_FSWATCH_REMOVED && told_minor(told->kind)) return false;
    bool part = told_minor(told->kind) && (before->kind == GY_FSWATCH_CREATED || told->kind == GY_FSWATCH_ATTRIBUTES);
    if (!part) before->kind = told->kind;
    before->is_dir = told->is_dir;
    return true;
}

void gyi_told_add(gyi_watcher *w, gyi_told *told) {
    bool alone = !w->coalesce || told->kind == GY_FSWATCH_RENAMED || told_bounds(told);
    gyi_told *same = alone ? NULL : told_same(w, told->text);
    if ((w->flags & GYI_WATCHER_ENDING) || (same && told_merge(same, told))) {
        told_spare(w, told);
        return;
    }
    told->due = w->coalesce ? gy_loop_now(w->loop) + w->coalesce : 0;
    told_list(w, told);
    tell_plan(w);
}

void gyi_told_add_pair(gyi_watcher *w, gyi_told *from, gyi_told *to) {
    size_t old = strlen(from->text) + 1, new = strlen(to->text) + 1;
    gyi_told *both = told_take(w, old + new);
    if (both) {
        memcpy(both->text, to->text, new);
        memcpy(both->text + new, from->text, old);
        both->kind = GY_FSWATCH_RENAMED;
        both->is_dir = to->is_dir;
        both->err = 0;
        both->from = (uint32_t)new;
        gyi_told_add(w, both);
    } else {
        gyi_watcher_lost(w);
    }
    told_spare(w, from);
    told_spare(w, to);
}

void gyi_watcher_add(gyi_watcher *w, const gyi_happened *what) {
    gyi_told *told = gyi_told_new(w, what);
    if (told) gyi_told_add(w, told);
}

/* ---- telling ----------------------------------------------------------------------------------------------------- */

static void tell_call(gyi_watcher *w, int err, const gy_fswatch_event *event) {
    gy_fswatch *owner = w->owner;
    w->flags |= GYI_WATCHER_TELLING;
    if (event->kind == GY_FSWATCH_GONE) gy_fswatch_stop(owner);
    else tell_plan(w);
    w->fn(owner, err, event);
    w->flags &= ~(unsigned)GYI_WATCHER_TELLING;
}

static void tell_run(gyi_entry *entry) {
    gyi_watcher *w = GY_OF(entry, gyi_watcher, tell);
    gyi_told *told = tell_first(w);
    if (w->flags & GYI_WATCHER_LOST) {
        w->flags &= ~(unsigned)GYI_WATCHER_LOST;
        tell_call(w, 0, &(gy_fswatch_event){.kind = GY_FSWATCH_RESCAN,
                                           .is_dir = w->count > 0 || (w->top && w->top->kind == GYI_FILE_DIR),
                                           .name = ""});
    } else if (told && told->due > gy_loop_now(w->loop) && !(w->flags & GYI_WATCHER_ENDING)) {
        tell_plan(w);
        return;
    } else if (told) {
        told_unlist(w, told);
        gy_fswatch_event event = {.kind = told->kind, .is_dir = told->is_dir, .name = told->text,
                                  .from = told->from ? told->text + told->from : NULL};
        tell_call(w, told->err, &event);
        told_spare(w, told);
    } else if (w->flags & GYI_WATCHER_ENDING) {
        tell_call(w, w->end, &(gy_fswatch_event){.kind = GY_FSWATCH_GONE, .name = ""});
    }
    gyi_watcher_release(w);
}

void gyi_watcher_tell_init(gyi_watcher *w) {
    gyi_list_init(&w->waiting);
    gyi_list_init(&w->spare);
    w->tell.run = tell_run;
    gy_timer_unref(&w->later);
}

/* Nothing is told any more. The memory goes with the record. */
void gyi_watcher_tell_end(gyi_watcher *w) {
    gy_timer_stop(&w->later);
    gyi_queue_drop(&w->tell);
    gyi_list_splice(&w->spare, &w->waiting);
}
