/* SPDX-License-Identifier: ISC */
/* Streams of descriptors that are there already, and of pairs that are made here.
 *
 * A descriptor that is handed over may be blocking, and that is a property of the open file, not of the number: the
 * standard input of a program is often the same open file as its parent's, and a shell whose terminal was left
 * non-blocking reads an error where it expects a line. So:
 *   - a socket keeps its mode, where each call can say that it is not to wait (GYI_STREAM_BLOCKING);
 *   - anything else is set non-blocking, and set back on close (GYI_STREAM_RESTORE).
 * Input and output of a terminal are usually one open file, and the first of the two streams to close must not make the
 * other one block. Whether they are one cannot be asked, but seen: when setting one back has changed the other, it is
 * undone, and setting back becomes the other's duty. */
#include "net/stream.h"
#include "sys/fd.h"

/* What a descriptor is, as far as it matters. */
static unsigned open_kind(gy_loop *loop, int fd, int mode) {
    gyi_sockaddr addr;
    int type;
    if (!gyi_sock_get(&loop->sys, fd, SOL_SOCKET, SO_TYPE, &type)) {
        if (type != SOCK_STREAM || gyi_sock_local(&loop->sys, fd, &addr)) return GYI_STREAM_WARY;
        return gyi_stream_family(&addr);
    }
    unsigned kind = GYI_STREAM_FILE | GYI_STREAM_WARY;
    if (!(mode & GYI_FD_WRITES)) kind |= GYI_STREAM_READ_ONLY;
    if (!(mode & GYI_FD_READS)) kind |= GYI_STREAM_WRITE_ONLY;
    return kind;
}

int gy_stream_open(gy_loop *loop, gy_stream *stream, int fd) {
    if (fd < 0) return -EBADF;
    if (stream->priv.state) return -EALREADY;
    /* What can fail comes before what changes the descriptor. */
    int err = gyi_slots_reserve(&loop->slots, &loop->alloc, fd);
    if (err) return err;
    int mode = gyi_fd_mode(&loop->sys, fd);
    if (mode < 0) return mode;
    unsigned state = GYI_STREAM_WRITABLE | open_kind(loop, fd, mode);
    err = gyi_fd_quiet(&loop->sys, fd);
    if (!err && (mode & GYI_FD_WAITS)) {
        bool stays = GYI_SOCK_NOWAIT != 0 && !(state & GYI_STREAM_FILE);
        state |= stays ? GYI_STREAM_BLOCKING : GYI_STREAM_RESTORE;
        if (!stays) err = gyi_fd_nonblock(&loop->sys, fd);
    }
    return err ? err : gyi_stream_adopt(loop, stream, fd, state);
}

/* Whether a stream that reads and writes without waiting has been made to wait. */
static bool open_waits(gy_stream *s) {
    unsigned state = s->priv.state;
    if (!gy_stream_is_open(s) || (state & GYI_STREAM_BLOCKING)) return false;
    int mode = gyi_fd_mode(&s->loop->sys, s->priv.fd);
    return mode >= 0 && (mode & GYI_FD_WAITS);
}

/* Another stream of the loop, of the same sort, that has been made to wait; NULL when there is none. */
static gy_stream *open_sibling(const gy_stream *s) {
    const gyi_slots *slots = &s->loop->slots;
    for (uint32_t fd = 0; fd < slots->cap; fd++)
        for (gyi_watch *w = slots->at[fd].first; w; w = w->next) {
            if (!gyi_stream_watches(w)) continue;
            gy_stream *other = GY_OF(w, gy_stream, priv.watch);
            bool alike = !((other->priv.state ^ s->priv.state) & (GYI_STREAM_FILE | GYI_STREAM_LISTENING));
            if (other != s && alike && open_waits(other)) return other;
        }
    return NULL;
}

void gyi_open_restore(gy_stream *s) {
    gyi_sys *sys = &s->loop->sys;
    if (gyi_fd_blocking(sys, s->priv.fd)) return;
    gy_stream *other = open_sibling(s);
    if (!other) return;
    gyi_fd_nonblock(sys, other->priv.fd);
    other->priv.state |= GYI_STREAM_RESTORE;
}

/* ---- pairs ------------------------------------------------------------------------------------------------------- */

/* Streams of two descriptors, or of neither, which are closed then. */
static int open_both(gy_loop *l, const int ends[2], gy_stream *a, unsigned a_state, gy_stream *b, unsigned b_state) {
    int err = gyi_slots_reserve(&l->slots, &l->alloc, ends[0] > ends[1] ? ends[0] : ends[1]);
    if (err) {
        gyi_fd_close(&l->sys, ends[0]);
        gyi_fd_close(&l->sys, ends[1]);
        return err;
    }
    /* With room in the table, neither fails. */
    gyi_stream_adopt(l, a, ends[0], GYI_STREAM_WRITABLE | GYI_STREAM_WARY | a_state);
    gyi_stream_adopt(l, b, ends[1], GYI_STREAM_WRITABLE | GYI_STREAM_WARY | b_state);
    return 0;
}

static int open_check(const gy_stream *a, const gy_stream *b) {
    if (a == b) return -EINVAL;
    return a->priv.state || b->priv.state ? -EALREADY : 0;
}

int gy_stream_pair(gy_loop *loop, gy_stream *a, gy_stream *b) {
    int ends[2], err = open_check(a, b);
    if (!err) err = gyi_sock_pair(&loop->sys, ends);
    return err ? err : open_both(loop, ends, a, GYI_STREAM_LOCAL, b, GYI_STREAM_LOCAL);
}

int gy_pipe_pair(gy_loop *loop, gy_stream *from, gy_stream *to) {
    int ends[2], err = open_check(from, to);
    if (!err) err = gyi_fd_pipe(&loop->sys, ends);
    if (err) return err;
    err = gyi_fd_quiet(&loop->sys, ends[1]);
    if (err) {
        gyi_fd_close(&loop->sys, ends[0]);
        gyi_fd_close(&loop->sys, ends[1]);
        return err;
    }
    return open_both(loop, ends, from, GYI_STREAM_FILE | GYI_STREAM_READ_ONLY, to,
                     GYI_STREAM_FILE | GYI_STREAM_WRITE_ONLY);
}
