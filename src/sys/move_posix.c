/* SPDX-License-Identifier: ISC */
/* Systems where everything is moved by reading and writing. The BSDs and macOS have a sendfile() of their own, from
 * files to sockets only; nobody has measured yet what it is worth here. */
#include "sys/move.h"

int64_t gyi_move_send(gyi_sys *sys, int from, int64_t at, int to, size_t len) {
    (void)sys, (void)from, (void)at, (void)to, (void)len;
    return -ENOTSUP;
}

int64_t gyi_move_splice(gyi_sys *sys, int from, int to, size_t len) {
    (void)sys, (void)from, (void)to, (void)len;
    return -ENOTSUP;
}

int gyi_move_ready(gyi_sys *sys, int from, int to) {
    (void)sys, (void)from, (void)to;
    return -ENOTSUP;
}

int64_t gyi_move_copy(gyi_sys *sys, int from, int64_t from_at, int to, int64_t to_at, size_t len) {
    (void)sys, (void)from, (void)from_at, (void)to, (void)to_at, (void)len;
    return -ENOTSUP;
}

size_t gyi_move_cached(gyi_sys *sys, int fd, int64_t at, size_t len) {
    (void)sys, (void)fd, (void)at, (void)len;
    return 0;
}
