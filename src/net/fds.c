/* SPDX-License-Identifier: ISC */
/* Descriptors along with bytes, over local sockets.
 *
 * Sending: a write with descriptors is a write with a mark (GYI_WRITE_FDS) in the queue, which goes by itself, in a
 * call of its own. As soon as a byte of it has gone, the descriptors have too, all of them, and what is left is a write
 * like others. The mark keeps its fields where others have theirs, so a gy_write is no larger for it.
 *
 * Receiving: a stream that was told to has a list, made once, of those that came and were not taken. When it is full,
 * reads report GY_EBACKLOG, so that a peer cannot use up the process's descriptors. What the kernel had to drop stands
 * in the list as an error, in its place. */
#include <string.h>

#include "net/stream.h"
#include "sys/fd.h"
#include "sys/sockfd.h"

_Static_assert((int)GY_STREAM_FDS_MOST <= (int)GYI_SOCK_FDS, "what may be sent can be received");

/* A read is made as long as there are fewer than GY_STREAM_FDS_MOST, and brings at most so many and an error. */
struct gyi_fds {
    unsigned count;
    int at[GY_STREAM_FDS_MOST + GYI_SOCK_FDS];
};

static const gyi_fds_ops fds_ops;

/* ---- receiving --------------------------------------------------------------------------------------------------- */

int gy_stream_receive_fds(gy_stream *s) {
    if (!gyi_stream_usable(s)) return GY_ECLOSED;
    if (!gyi_stream_is(s, GYI_STREAM_LOCAL)) return -ENOTSUP;
    if (gyi_stream_is(s, GYI_STREAM_FDS)) return 0;
    s->priv.of.fds = gyi_alloc_zero(&s->loop->alloc, sizeof *s->priv.of.fds);
    if (!s->priv.of.fds) return -ENOMEM;
    s->priv.state |= GYI_STREAM_FDS;
    s->loop->fds = &fds_ops;
    return 0;
}

int gy_stream_take_fd(gy_stream *s) {
    if (!gyi_stream_usable(s)) return GY_ECLOSED;
    if (!gyi_stream_is(s, GYI_STREAM_FDS)) return -EINVAL;
    struct gyi_fds *fds = s->priv.of.fds;
    if (!fds->count) return -EAGAIN;
    int fd = fds->at[0];
    memmove(fds->at, fds->at + 1, --fds->count * sizeof *fds->at);
    return fd;
}

static int64_t fds_recv(gy_stream *s, gy_buf into) {
    struct gyi_fds *fds = s->priv.of.fds;
    gyi_sock_fds got;
    if (fds->count >= GY_STREAM_FDS_MOST) return GY_EBACKLOG;
    ssize_t n = gyi_sock_recv_fds(&s->loop->sys, s->priv.fd, into, &got);
    if (n < 0) return n;
    memcpy(fds->at + fds->count, got.at, (size_t)got.count * sizeof *got.at);
    fds->count += (unsigned)got.count;
    if (got.err) fds->at[fds->count++] = got.err;
    return n;
}

static void fds_close(gy_stream *s) {
    struct gyi_fds *fds = s->priv.of.fds;
    for (unsigned i = 0; i < fds->count; i++) gyi_fd_close(&s->loop->sys, fds->at[i]);
    gyi_free(&s->loop->alloc, fds);
    s->priv.of.fds = NULL;
}

/* ---- sending ----------------------------------------------------------------------------------------------------- */

int gy_stream_send_fds(gy_stream *s, gy_write *w, gy_buf from, const int *fds, unsigned count, gy_write_fn *fn) {
    int err = gyi_write_check(s, w, fn);
    if (err) return err;
    if (!from.base || !from.len || !fds || !count || count > GY_STREAM_FDS_MOST) return -EINVAL;
    if (!gyi_stream_is(s, GYI_STREAM_LOCAL)) return -ENOTSUP;
    for (unsigned i = 0; i < count; i++)
        if (fds[i] < 0) return -EBADF;
    int32_t before = w->priv.err;
    s->loop->fds = &fds_ops;
    w->priv.own = from;
    w->priv.fds = fds;
    w->priv.count = GYI_WRITE_FDS;
    w->priv.err = (int32_t)count;
    err = gyi_write_add(s, w, from.len, fn);
    if (err) w->priv.err = before;
    /* The first in an empty queue is tried at once, as any write is. */
    else if (s->priv.first == w && gyi_stream_is(s, GYI_STREAM_WRITABLE)) gyi_write_flush(s);
    return err;
}

static ssize_t fds_send(gy_stream *s) {
    gy_write *w = s->priv.first;
    ssize_t n = gyi_sock_send_fds(&s->loop->sys, s->priv.fd, w->priv.own, w->priv.fds, (unsigned)w->priv.err);
    if (n <= 0) return n ? n : -EAGAIN;
    w->priv.count = 1;
    w->priv.bufs = NULL;
    w->priv.err = 0;
    return n;
}

static const gyi_fds_ops fds_ops = {.recv = fds_recv, .send = fds_send, .close = fds_close};
