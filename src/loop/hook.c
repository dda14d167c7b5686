/* SPDX-License-Identifier: ISC */
/* Hooks: three lists of callbacks, each of which is queued whole at its point of the turn. */
#include "loop/loop.h"

static void hook_run(gyi_entry *entry) {
    gy_hook *h = GY_OF(entry, gy_hook, priv.entry);
    h->priv.fn(h);
}

void gyi_hook_init(gy_loop *l) {
    for (int i = 0; i < GYI_HOOK_KINDS; i++) gyi_list_init(&l->hooks[i]);
}

void gyi_hook_queue(gy_loop *l, gy_hook_when when) {
    gyi_entry *list = &l->hooks[when];
    for (gyi_entry *e = list->next; e != list; e = e->next) {
        gy_hook *h = GY_OF(e, gy_hook, priv.link);
        if (gyi_entry_listed(&h->priv.entry)) continue; /* left over from a turn that was ended early */
        gyi_queue_push(l, &h->priv.entry);
        l->stats.hooks++;
    }
}

/* Only idle hooks hold the loop alive, so a plain `{0}` hook of another kind is unreferenced until gy_hook_ref(). The
 * flag that is stored is therefore "differs from the default". */
static bool hook_refs(const gy_hook *h) {
    return (h->priv.when == GY_HOOK_IDLE) != !!(h->priv.flags & GYI_HANDLE_UNREF);
}

int gy_hook_start(gy_loop *loop, gy_hook *h, gy_hook_when when, gy_hook_fn *fn) {
    if (!fn || (unsigned)when >= GYI_HOOK_KINDS) return -EINVAL;
    if (h->priv.flags & GYI_HANDLE_ACTIVE) return -EALREADY;
    h->loop = loop;
    h->priv.fn = fn;
    h->priv.when = when;
    h->priv.entry.run = hook_run;
    h->priv.flags |= GYI_HANDLE_ACTIVE;
    gyi_list_append(&loop->hooks[when], &h->priv.link);
    loop->queue.special |= 1U << when;
    if (hook_refs(h)) gyi_loop_ref(loop);
    return 0;
}

void gy_hook_stop(gy_hook *h) {
    if (!(h->priv.flags & GYI_HANDLE_ACTIVE)) return;
    if (hook_refs(h)) gyi_loop_unref(h->loop);
    h->priv.flags = 0;
    gyi_list_remove(&h->priv.link);
    if (gyi_list_empty(&h->loop->hooks[h->priv.when])) h->loop->queue.special &= ~(1U << h->priv.when);
    gyi_queue_drop(&h->priv.entry);
}

bool gy_hook_active(const gy_hook *h) { return h->priv.flags & GYI_HANDLE_ACTIVE; }

void gy_hook_ref(gy_hook *h) {
    if (!gy_hook_active(h) || hook_refs(h)) return;
    h->priv.flags ^= GYI_HANDLE_UNREF;
    gyi_loop_ref(h->loop);
}

void gy_hook_unref(gy_hook *h) {
    if (!gy_hook_active(h) || !hook_refs(h)) return;
    h->priv.flags ^= GYI_HANDLE_UNREF;
    gyi_loop_unref(h->loop);
}
