/* SPDX-License-Identifier: ISC */
/* From stream to stream.
 *
 *   source -> ring -> step -> ring -> step -> ring -> destination
 *
 * Every place has a ring of bytes, and all rings are one block of memory. Whenever something has happened, the pump
 * moves what can be moved through the steps, then begins a write if there is none, and a read if there is none. A read
 * fills half of a ring at most, so that the other half can be written meanwhile. The bytes of a write stay in their
 * ring until it is done, and those of a read count only then: so what the kernel or another thread uses is never moved.
 *
 * Without steps there is nothing to do with the bytes here, and the kernel is asked to move them (net/direct.h): reads
 * of `from` then go into `to` at once, and when `to` is full, room is waited for. When it turns out that the kernel
 * cannot, no byte has been lost, the rings are made, and everything goes on as if nothing else had been tried.
 *
 * It ends in one way: `err` is set, both streams are closed, and when nothing is under way any more a job tells. The
 * job also makes sure that gy_pipeline_stop() never calls back from inside. */
#include "gyre/pipeline.h"

#include "base/alloc.h"
#include "loop/loop.h"
#include "net/direct.h"
#include "net/stream.h"

enum { PIPELINE_HIGH_WATER = 65536, PIPELINE_STEPS = 64, PIPELINE_PLACE = 16 };

enum {
    PIPELINE_RUNNING = 1,
    PIPELINE_READING = 2, /* a read is pending */
    PIPELINE_EOF     = 4, /* the source has no more */
    PIPELINE_PAUSED  = 8,
    PIPELINE_END     = 16,  /* `to` is to be shut down */
    PIPELINE_KEEP    = 32,  /* the streams stay open */
    PIPELINE_OVER    = 64,  /* nothing more is begun: what is under way is waited for */
    PIPELINE_TOLD    = 128, /* the job is on its way */
    PIPELINE_WRITING = 256, /* a write or the shutdown */
    PIPELINE_CLOSING_FROM = 512,
    PIPELINE_CLOSING_TO   = 1024,
    PIPELINE_DIRECT = 2048, /* the kernel moves the bytes */
    PIPELINE_FULL   = 4096, /* and `to` has no room for more */
    PIPELINE_STEPPING = 8192, /* a step runs, with bytes of the rings in its hands */
    PIPELINE_AWAY = PIPELINE_READING | PIPELINE_WRITING | PIPELINE_CLOSING_FROM | PIPELINE_CLOSING_TO
};

struct gyi_ring {
    char *base;
    size_t size, begin, used;
};

static bool pipeline_is(const gy_pipeline *p, unsigned state) { return p->priv.state & state; }

/* ---- rings ------------------------------------------------------------------------------------------------------- */

/* The first bytes, up to where the ring begins anew. */
static gy_buf ring_bytes(const struct gyi_ring *r) {
    size_t len = r->size - r->begin;
    return (gy_buf){r->base + r->begin, len < r->used ? len : r->used};
}

/* Where more may come, in one piece. Not while a read goes there: an empty ring begins at its beginning again. */
static gy_buf ring_room(struct gyi_ring *r) {
    if (!r->used) r->begin = 0;
    size_t end = r->begin + r->used;
    if (end >= r->size) return (gy_buf){r->base + (end - r->size), r->size - r->used};
    return (gy_buf){r->base + end, r->size - end};
}

static void ring_take(struct gyi_ring *r, size_t n) {
    r->begin += n;
    if (r->begin >= r->size) r->begin -= r->size;
    r->used -= n;
}

/* One block: the rings, then their bytes. */
static int pipeline_memory(gy_pipeline *p) {
    size_t places = p->priv.count + 1, head = places * sizeof *p->priv.rings, size = p->priv.size;
    char *block = p->loop->alloc.alloc(head + size, p->loop->alloc.ctx);
    if (!block) return -ENOMEM;
    p->priv.rings = (struct gyi_ring *)(void *)block;
    for (size_t i = 0; i < places; i++)
        p->priv.rings[i] = (struct gyi_ring){block + head + i * (size / places), size / places, 0, 0};
    return 0;
}

/* ---- the end ----------------------------------------------------------------------------------------------------- */

static void pipeline_tell(gy_job *job) {
    gy_pipeline *p = GY_OF(job, gy_pipeline, priv.job);
    if (p->priv.rings) gyi_free(&p->loop->alloc, p->priv.rings);
    p->priv.rings = NULL;
    p->priv.from->user = p->priv.from_user;
    p->priv.state = 0;
    p->priv.fn(p, p->priv.err);
}

/* Tells, once nothing is under way. */
static void pipeline_settle(gy_pipeline *p) {
    if (!pipeline_is(p, PIPELINE_OVER) || pipeline_is(p, PIPELINE_AWAY | PIPELINE_TOLD)) return;
    p->priv.state |= PIPELINE_TOLD;
    gy_defer(p->loop, &p->priv.job, pipeline_tell);
}

static void pipeline_from_closed(gy_stream *s) {
    gy_pipeline *p = s->user;
    p->priv.state &= ~(unsigned)PIPELINE_CLOSING_FROM;
    pipeline_settle(p);
}

static void pipeline_to_closed(gy_stream *s) {
    gy_pipeline *p = s->user;
    s->user = p->priv.to_user;
    p->priv.state &= ~(unsigned)PIPELINE_CLOSING_TO;
    pipeline_settle(p);
}

/* One that somebody else has closed is left to him. */
static void pipeline_close(gy_pipeline *p) {
    gy_stream *from = p->priv.from, *to = p->priv.to;
    if (gy_stream_is_open(from)) {
        p->priv.state |= PIPELINE_CLOSING_FROM;
        gy_stream_close(from, pipeline_from_closed);
    }
    if (from != to && gy_stream_is_open(to)) {
        p->priv.state |= PIPELINE_CLOSING_TO;
        p->priv.to_user = to->user;
        to->user = p;
        gy_stream_close(to, pipeline_to_closed);
    }
}

/* Waiting for room has written nothing, so it leaves `to` as it is. */
static void pipeline_leave(gy_pipeline *p) {
    if (!pipeline_is(p, PIPELINE_FULL)) gy_stream_cancel(p->priv.to, GY_STREAM_WRITE, GY_ECANCELED);
    else if (gyi_write_withdraw(p->priv.to, &p->priv.write)) p->priv.state &= ~(unsigned)PIPELINE_WRITING;
}

/* The only way to end, with or without an error. The first one counts. */
static void pipeline_over(gy_pipeline *p, int err) {
    if (pipeline_is(p, PIPELINE_OVER)) return;
    p->priv.err = err;
    p->priv.state |= PIPELINE_OVER;
    if (!pipeline_is(p, PIPELINE_KEEP)) {
        pipeline_close(p);
    } else {
        if (pipeline_is(p, PIPELINE_READING)) gy_stream_cancel(p->priv.from, GY_STREAM_READ, GY_ECANCELED);
        if (pipeline_is(p, PIPELINE_WRITING)) pipeline_leave(p);
    }
    pipeline_settle(p);
}

/* ---- steps ------------------------------------------------------------------------------------------------------- */

/* @return whether it has moved anything. */
static bool pipeline_step(gy_pipeline *p, unsigned i) {
    struct gyi_ring *in = &p->priv.rings[i], *out = in + 1;
    bool last = p->priv.ended == i && pipeline_is(p, PIPELINE_EOF) && !in->used;
    if (p->priv.ended > i || (!in->used && !last)) return false;
    gy_buf bytes = ring_bytes(in), room = ring_room(out);
    if (!room.len) return false;
    size_t taken = 0;
    p->priv.state |= PIPELINE_STEPPING;
    int64_t n = p->priv.steps[i]->run(p->priv.steps[i], bytes, room, &taken);
    p->priv.state &= ~(unsigned)PIPELINE_STEPPING;
    if (pipeline_is(p, PIPELINE_OVER)) return false; /* it has stopped the pipeline */
    if (n == GY_TRANSFORM_ROOM || (!n && !taken && !last)) {
        if (!out->used) pipeline_over(p, GY_TRANSFORM_ROOM);
        return false;
    }
    if (n < 0 || (uint64_t)n > room.len || taken > bytes.len) {
        pipeline_over(p, n < 0 ? (int)n : -EINVAL);
        return false;
    }
    ring_take(in, taken);
    out->used += (size_t)n;
    if (last && !n) p->priv.ended++;
    return true;
}

static void pipeline_steps(gy_pipeline *p) {
    bool moved = true;
    while (moved) {
        moved = false;
        for (unsigned i = 0; i < p->priv.count && !pipeline_is(p, PIPELINE_OVER); i++) moved |= pipeline_step(p, i);
    }
}

/* ---- the pump ---------------------------------------------------------------------------------------------------- */

static void pipeline_pump(gy_pipeline *p);
static void pipeline_direct(gy_pipeline *p);

static void pipeline_read_done(gy_stream *s, int err, gy_buf got) {
    gy_pipeline *p = s->user;
    p->priv.state &= ~(unsigned)PIPELINE_READING;
    p->read_bytes += got.len;
    p->priv.rings[0].used += got.len;
    if (err == GY_EOF) p->priv.state |= PIPELINE_EOF;
    else if (err) pipeline_over(p, err);
    pipeline_pump(p);
}

static int pipeline_read(gy_pipeline *p) {
    gy_buf room = ring_room(&p->priv.rings[0]);
    size_t half = p->priv.rings[0].size / 2;
    if (!room.len) return 0;
    if (room.len > half) room.len = half;
    int err = gy_stream_read(p->priv.from, room, pipeline_read_done);
    if (!err) p->priv.state |= PIPELINE_READING;
    return err;
}

static void pipeline_write_done(gy_write *w, int err) {
    gy_pipeline *p = GY_OF(w, gy_pipeline, priv.write);
    p->priv.state &= ~(unsigned)PIPELINE_WRITING;
    if (!err) {
        p->written_bytes += p->priv.writing;
        ring_take(&p->priv.rings[p->priv.count], p->priv.writing);
    } else {
        pipeline_over(p, err);
    }
    pipeline_pump(p);
}

static void pipeline_shut_done(gy_write *w, int err) {
    gy_pipeline *p = GY_OF(w, gy_pipeline, priv.write);
    p->priv.state &= ~(unsigned)PIPELINE_WRITING;
    pipeline_over(p, err);
    pipeline_settle(p);
}

/* Everything is written. */
static int pipeline_finish(gy_pipeline *p) {
    if (!pipeline_is(p, PIPELINE_END)) {
        pipeline_over(p, 0);
        return 0;
    }
    int err = gy_stream_shutdown(p->priv.to, &p->priv.write, pipeline_shut_done);
    if (!err) p->priv.state |= PIPELINE_WRITING;
    return err;
}

/* Begins to write what there is; when there will be nothing more, ends. */
static int pipeline_write(gy_pipeline *p) {
    struct gyi_ring *out = &p->priv.rings[p->priv.count];
    if (!out->used) return pipeline_is(p, PIPELINE_EOF) && p->priv.ended == p->priv.count ? pipeline_finish(p) : 0;
    gy_buf bytes = ring_bytes(out);
    p->priv.writing = bytes.len;
    int err = gy_stream_write(p->priv.to, &p->priv.write, bytes, pipeline_write_done);
    if (!err) p->priv.state |= PIPELINE_WRITING;
    return err;
}

static void pipeline_pump(gy_pipeline *p) {
    int err = 0;
    if (pipeline_is(p, PIPELINE_DIRECT)) {
        pipeline_direct(p);
        return;
    }
    if (!pipeline_is(p, PIPELINE_OVER)) pipeline_steps(p);
    if (!pipeline_is(p, PIPELINE_OVER | PIPELINE_WRITING)) err = pipeline_write(p);
    if (!err && !pipeline_is(p, PIPELINE_OVER | PIPELINE_READING | PIPELINE_EOF | PIPELINE_PAUSED))
        err = pipeline_read(p);
    if (err) pipeline_over(p, err);
    pipeline_settle(p);
}

/* ---- inside the kernel ------------------------------------------------------------------------------------------- */

static void pipeline_room_done(gy_write *w, int err) {
    gy_pipeline *p = GY_OF(w, gy_pipeline, priv.write);
    p->priv.state &= ~(unsigned)(PIPELINE_WRITING | PIPELINE_FULL);
    if (err) pipeline_over(p, err);
    pipeline_direct(p);
}

/* From now on through the rings. */
static int pipeline_fall_back(gy_pipeline *p) {
    p->priv.state &= ~(unsigned)PIPELINE_DIRECT;
    return pipeline_memory(p);
}

/* What the read has to say. An end before the first byte is left to a read that goes into memory: there are files that
 * have a length only for those who read them. */
static int pipeline_moved(gy_pipeline *p, int err) {
    if (err == GYI_DIRECT_FULL) p->priv.state |= PIPELINE_FULL;
    else if (err == GYI_DIRECT_NOT || (err == GY_EOF && !p->priv.move.moved)) return pipeline_fall_back(p);
    else if (err == GY_EOF) p->priv.state |= PIPELINE_EOF;
    else return err;
    return 0;
}

static void pipeline_move_done(gy_stream *s, int err, gy_buf got) {
    gy_pipeline *p = s->user;
    (void)got;
    gyi_direct_done(s);
    p->priv.state &= ~(unsigned)PIPELINE_READING;
    p->read_bytes = p->written_bytes = p->priv.move.moved;
    if (!pipeline_is(p, PIPELINE_OVER)) err = pipeline_moved(p, err);
    if (err) pipeline_over(p, err);
    pipeline_pump(p);
}

static int pipeline_move(gy_pipeline *p) {
    int err = gyi_direct_read(p->priv.from, &p->priv.move, pipeline_move_done);
    if (!err) p->priv.state |= PIPELINE_READING;
    return err;
}

static int pipeline_wait(gy_pipeline *p) {
    int err = gyi_direct_room(p->priv.to, &p->priv.write, pipeline_room_done);
    if (!err) p->priv.state |= PIPELINE_WRITING;
    return err;
}

/* As the pump: begins what is to be done next. One thing at a time. */
static void pipeline_direct(gy_pipeline *p) {
    int err = 0;
    if (!pipeline_is(p, PIPELINE_OVER | PIPELINE_READING | PIPELINE_WRITING)) {
        if (pipeline_is(p, PIPELINE_EOF)) err = pipeline_finish(p);
        else if (pipeline_is(p, PIPELINE_FULL)) err = pipeline_wait(p);
        else if (!pipeline_is(p, PIPELINE_PAUSED)) err = pipeline_move(p);
    }
    if (err) pipeline_over(p, err);
    pipeline_settle(p);
}

/* ---- requests ---------------------------------------------------------------------------------------------------- */

static int pipeline_check(const gy_pipeline *p, const gy_pipeline_opts *opts) {
    if (!opts->fn || !opts->from || !opts->to || opts->count > PIPELINE_STEPS) return -EINVAL;
    if (opts->count && !opts->steps) return -EINVAL;
    for (unsigned i = 0; i < opts->count; i++)
        if (!opts->steps[i] || !opts->steps[i]->run) return -EINVAL;
    if (pipeline_is(p, PIPELINE_RUNNING)) return -EALREADY;
    if (!gy_stream_is_open(opts->to)) return GY_ECLOSED;
    return opts->high_water / (opts->count + 1) < PIPELINE_PLACE || opts->high_water > SIZE_MAX / 2 ? -EINVAL : 0;
}

static void pipeline_set(gy_pipeline *p, gy_loop *loop, const gy_pipeline_opts *opts) {
    *p = (gy_pipeline){.user = p->user, .loop = loop};
    p->priv.from = opts->from;
    p->priv.to = p->priv.move.to = opts->to;
    p->priv.steps = opts->steps;
    p->priv.count = opts->count;
    p->priv.size = opts->high_water;
    p->priv.fn = opts->fn;
    p->priv.state = (opts->end ? PIPELINE_END : 0U) | (opts->keep ? PIPELINE_KEEP : 0U);
}

/* The first read is the one that may be refused. */
static int pipeline_begin(gy_pipeline *p) {
    if (!p->priv.count && gyi_direct_possible(p->priv.from, p->priv.to)) {
        p->priv.state |= PIPELINE_DIRECT;
        return pipeline_move(p);
    }
    int err = pipeline_memory(p);
    if (!err) err = pipeline_read(p);
    if (!err || !p->priv.rings) return err;
    gyi_free(&p->loop->alloc, p->priv.rings);
    p->priv.rings = NULL;
    return err;
}

int gy_pipeline_start(gy_loop *loop, gy_pipeline *p, gy_pipeline_opts opts) {
    if (!opts.high_water) opts.high_water = PIPELINE_HIGH_WATER;
    int err = pipeline_check(p, &opts);
    if (err) return err;
    pipeline_set(p, loop, &opts);
    err = pipeline_begin(p);
    if (err) {
        p->priv.state = 0;
        return err;
    }
    p->priv.from_user = opts.from->user;
    opts.from->user = p;
    p->priv.state |= PIPELINE_RUNNING;
    return 0;
}

void gy_pipeline_stop(gy_pipeline *p) {
    if (pipeline_is(p, PIPELINE_RUNNING)) pipeline_over(p, GY_ECANCELED);
}

void gy_pipeline_pause(gy_pipeline *p) {
    if (pipeline_is(p, PIPELINE_RUNNING)) p->priv.state |= PIPELINE_PAUSED;
}

/* Called by a step, it leaves the rest to the pump that has called the step. */
void gy_pipeline_resume(gy_pipeline *p) {
    if (!pipeline_is(p, PIPELINE_PAUSED)) return;
    p->priv.state &= ~(unsigned)PIPELINE_PAUSED;
    if (!pipeline_is(p, PIPELINE_STEPPING)) pipeline_pump(p);
}
