/* SPDX-License-Identifier: ISC */
/* The descriptors of a child: what is inherited, and pipes with a stream at our end.
 *
 * A stream cannot be taken back once it is open but by closing it, which takes a turn of the loop. A failing spawn must
 * leave no such thing behind, so the streams are opened after the child has started, and by then nothing must be able
 * to fail: memory for the watcher is reserved and the descriptors are prepared before. */
#include "net/stream.h"
#include "process/process.h"
#include "sys/fd.h"

static bool stdio_has_stream(gy_stdio_kind kind) {
    return kind == GY_STDIO_IN || kind == GY_STDIO_OUT || kind == GY_STDIO_DUPLEX;
}

static int stdio_check_stream(const gy_stdio *list, unsigned i) {
    if (!list[i].stream) return -EINVAL;
    for (unsigned k = 0; k < i; k++)
        if (stdio_has_stream(list[k].kind) && list[k].stream == list[i].stream) return -EINVAL;
    return list[i].stream->priv.state ? -EALREADY : 0;
}

int gyi_stdio_check(const gy_stdio *list, unsigned count) {
    int err = count > GY_STDIO_MOST || (count && !list) ? -EINVAL : 0;
    for (unsigned i = 0; i < count && !err; i++) {
        switch (list[i].kind) {
        case GY_STDIO_INHERIT:
        case GY_STDIO_IGNORE: break;
        case GY_STDIO_FD: err = list[i].fd < 0 ? -EBADF : 0; break;
        case GY_STDIO_SAME: err = list[i].fd < 0 || (unsigned)list[i].fd >= i ? -EINVAL : 0; break;
        case GY_STDIO_IN:
        case GY_STDIO_OUT:
        case GY_STDIO_DUPLEX: err = stdio_check_stream(list, i); break;
        default: err = -EINVAL;
        }
    }
    return err;
}

/* What needs no pipe. It is looked at before there are any, which could have just the number that is asked for. */
static int stdio_given(gyi_stdio *s, int i, gy_stdio what) {
    switch (what.kind) {
    case GY_STDIO_INHERIT:
        s->source[i] = gyi_spawn_is_open(i) ? i : GYI_SPAWN_NULL;
        return i < 3 || s->source[i] == i ? 0 : -EBADF;
    case GY_STDIO_FD: s->source[i] = what.fd; return gyi_spawn_is_open(what.fd) ? 0 : -EBADF;
    default: s->source[i] = GYI_SPAWN_NULL; return 0;
    }
}

/* Makes our end what a stream needs, and sees to it that it can become one. */
static int stdio_prepare(gy_loop *loop, int fd) {
    int err = gyi_slots_reserve(&loop->slots, &loop->alloc, fd);
    if (!err) err = gyi_fd_nonblock(&loop->sys, fd);
    if (!err) err = gyi_fd_quiet(&loop->sys, fd);
    return err;
}

static int stdio_pipe(gy_loop *loop, gyi_stdio *s, int i, gy_stdio_kind kind) {
    int ends[2], mine = kind == GY_STDIO_IN ? 1 : 0;
    int err = kind == GY_STDIO_DUPLEX ? gyi_spawn_pair(&loop->sys, ends) : gyi_spawn_channel(&loop->sys, ends);
    if (err) return err;
    s->ours[i] = ends[mine];
    s->theirs[i] = s->source[i] = ends[!mine];
    return stdio_prepare(loop, ends[mine]);
}

int gyi_stdio_open(gy_loop *loop, gyi_stdio *s, const gy_process_opts *opts, int *step) {
    int count = (int)opts->stdio_count, err = 0;
    gy_stdio rest = {.kind = opts->flags & GY_PROCESS_NO_STDIO ? GY_STDIO_IGNORE : GY_STDIO_INHERIT};
    s->count = count < 3 ? 3 : count;
    for (int i = 0; i < s->count; i++) s->ours[i] = s->theirs[i] = -1;
    *step = GYI_SPAWN_STDIO;
    for (int i = 0; i < s->count && !err; i++) err = stdio_given(s, i, i < count ? opts->stdio[i] : rest);
    if (err) return err;
    *step = GYI_SPAWN_SETUP;
    for (int i = 0; i < count && !err; i++) {
        const gy_stdio *what = &opts->stdio[i];
        if (what->kind == GY_STDIO_SAME) s->source[i] = s->source[what->fd];
        else if (stdio_has_stream(what->kind)) err = stdio_pipe(loop, s, i, what->kind);
    }
    if (err) gyi_stdio_close(loop, s);
    return err;
}

void gyi_stdio_close(gy_loop *loop, gyi_stdio *s) {
    for (int i = 0; i < s->count; i++) {
        gyi_fd_close(&loop->sys, s->ours[i]);
        gyi_fd_close(&loop->sys, s->theirs[i]);
        s->ours[i] = s->theirs[i] = -1;
    }
}

/* What our end is, in the words of streams. */
static unsigned stdio_stream_kind(gy_stdio_kind kind) {
    if (kind == GY_STDIO_DUPLEX) return GYI_STREAM_WARY | GYI_STREAM_LOCAL;
    return GYI_STREAM_FILE | GYI_STREAM_WARY | (kind == GY_STDIO_IN ? GYI_STREAM_WRITE_ONLY : GYI_STREAM_READ_ONLY);
}

void gyi_stdio_adopt(gy_loop *loop, gyi_stdio *s, const gy_stdio *list) {
    for (int i = 0; i < s->count; i++) {
        if (s->ours[i] < 0) continue;
        unsigned kind = stdio_stream_kind(list[i].kind);
        gyi_stream_adopt(loop, list[i].stream, s->ours[i], GYI_STREAM_WRITABLE | kind);
        gyi_fd_close(&loop->sys, s->theirs[i]);
    }
}
