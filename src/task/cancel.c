/* SPDX-License-Identifier: ISC */
/* Cancel tokens.
 *
 * A token is a ring of hooks and a reason. The reason is set before the first hook is called, so nobody can join while
 * they are, and the ring is taken apart from the front: hooks may take each other off and close the token. Who joins
 * one that was closed meanwhile has nothing to do with the cancellation. */
#include "gyre/cancel.h"

#include <errno.h>

#include "base/list.h"

/* A token is valid as `{0}`, in which the ring is not closed. */
static bool cancel_empty(const gy_cancel *token) {
    return !token->priv.hooks.next || gyi_list_empty(&token->priv.hooks);
}

void gy_cancel_now(gy_cancel *token, int reason) {
    if (token->reason) return;
    token->reason = reason = reason < 0 ? reason : GY_ECANCELED;
    gy_timer_stop(&token->priv.timer);
    while (token->reason && !cancel_empty(token)) {
        gy_cancel_hook *hook = GY_OF(gyi_list_take(&token->priv.hooks), gy_cancel_hook, priv.link);
        hook->priv.fn(hook, reason);
    }
}

static void cancel_struck(gy_timer *timer) { gy_cancel_now(GY_OF(timer, gy_cancel, priv.timer), -ETIMEDOUT); }

void gy_cancel_after(gy_loop *loop, gy_cancel *token, gy_ns after) {
    if (token->reason) return;
    gy_timer_unref(&token->priv.timer);
    gy_timer_start(loop, &token->priv.timer, (gy_timer_opts){.fn = cancel_struck, .after = after});
}

int gy_cancel_on(gy_cancel *token, gy_cancel_hook *hook, gy_cancel_fn *fn) {
    if (!fn) return -EINVAL;
    if (gyi_entry_listed(&hook->priv.link)) return -EALREADY;
    if (token->reason) return token->reason;
    if (!token->priv.hooks.next) gyi_list_init(&token->priv.hooks);
    hook->token = token;
    hook->priv.fn = fn;
    gyi_list_append(&token->priv.hooks, &hook->priv.link);
    return 0;
}

bool gy_cancel_off(gy_cancel_hook *hook) {
    if (!gyi_entry_listed(&hook->priv.link)) return false;
    gyi_list_remove(&hook->priv.link);
    return true;
}

static void cancel_passed_on(gy_cancel_hook *link, int reason) { gy_cancel_now(link->user, reason); }

int gy_cancel_link(gy_cancel *token, gy_cancel_hook *link, gy_cancel *parent) {
    if (token == parent) return -EINVAL;
    int err = gy_cancel_on(parent, link, cancel_passed_on);
    if (err == 0) link->user = token;
    if (err == 0 || err == -EALREADY) return err;
    gy_cancel_now(token, err);
    return 0;
}

void gy_cancel_close(gy_cancel *token) {
    while (!cancel_empty(token)) gyi_list_take(&token->priv.hooks);
    gy_timer_stop(&token->priv.timer);
    token->reason = 0;
}
