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
 * It ends in one way: `err` is set, both streams are closed, and when nothing is under way any more a job tells. The
 * job also makes sure that gy_pipeline_stop() never calls back from inside. */
#include "gyre/pipeline.h"

#include "base/alloc.h"
#include "loop/loop.h"

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

/* ---- the end ----------------------------------------------------------------------------------------------------- */

static void pipeline_tell(gy_job *job) {
    gy_pipeline *p = GY_OF(job, gy_pipeline, priv.job);
    gyi_free(&p->loop->alloc, p->priv.rings);
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

/* The only way to end, with or without an error. The first one counts. */
static void pipeline_over(gy_pipeline *p, int err) {
    if (pipeline_is(p, PIPELINE_OVER)) return;
    p->priv.err = err;
    p->priv.state |= PIPELINE_OVER;
    if (!pipeline_is(p, PIPELINE_KEEP)) {
        pipeline_close(p);
    } else {
        if (pipeline_is(p, PIPELINE_READING)) gy_stream_cancel(p->priv.from, GY_STREAM_READ, GY_ECANCELED);
        if (pipeline_is(p, PIPELINE_WRITING)) gy_stream_cancel(p->priv.to, GY_STREAM_WRITE, GY_ECANCELED);
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
    int64_t n = p->priv.steps[i]->run(p->priv.steps[i], bytes, room, &taken);
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

/* Begins to write what there is; when there will be nothing more, ends. */
static int pipeline_write(gy_pipeline *p) {
    struct gyi_ring *out = &p->priv.rings[p->priv.count];
    int err;
    if (out->used) {
        gy_buf bytes = ring_bytes(out);
        p->priv.writing = bytes.len;
        err = gy_stream_write(p->priv.to, &p->priv.write, bytes, pipeline_write_done);
    } else {
        if (!pipeline_is(p, PIPELINE_EOF) || p->priv.ended < p->priv.count) return 0;
        if (!pipeline_is(p, PIPELINE_END)) {
            pipeline_over(p, 0);
            return 0;
        }
        err = gy_stream_shutdown(p->priv.to, &p->priv.write, pipeline_shut_done);
    }
    if (!err) p->priv.state |= PIPELINE_WRITING;
    return err;
}

static void pipeline_pump(gy_pipeline *p) {
    int err = 0;
    if (!pipeline_is(p, PIPELINE_OVER)) pipeline_steps(p);
    if (!pipeline_is(p, PIPELINE_OVER | PIPELINE_WRITING)) err = pipeline_write(p);
    if (!err && !pipeline_is(p, PIPELINE_OVER | PIPELINE_READING | PIPELINE_EOF | PIPELINE_PAUSED))
        err = pipeline_read(p);
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
    return gy_stream_is_open(opts->to) ? 0 : GY_ECLOSED;
}

/* One block: the rings, then their bytes. */
static int pipeline_memory(gy_pipeline *p, size_t size) {
    size_t places = p->priv.count + 1, head = places * sizeof *p->priv.rings;
    if (!size) size = PIPELINE_HIGH_WATER;
    if (size / places < PIPELINE_PLACE || size > SIZE_MAX / 2) return -EINVAL;
    char *block = p->loop->alloc.alloc(head + size, p->loop->alloc.ctx);
    if (!block) return -ENOMEM;
    p->priv.rings = (struct gyi_ring *)(void *)block;
    for (size_t i = 0; i < places; i++)
        p->priv.rings[i] = (struct gyi_ring){block + head + i * (size / places), size / places, 0, 0};
    return 0;
}

int gy_pipeline_start(gy_loop *loop, gy_pipeline *p, gy_pipeline_opts opts) {
    int err = pipeline_check(p, &opts);
    if (err) return err;
    *p = (gy_pipeline){.user = p->user, .loop = loop};
    p->priv.from = opts.from;
    p->priv.to = opts.to;
    p->priv.steps = opts.steps;
    p->priv.count = opts.count;
    p->priv.fn = opts.fn;
    err = pipeline_memory(p, opts.high_water);
    if (err) return err;
    err = pipeline_read(p);
    if (err) {
        gyi_free(&loop->alloc, p->priv.rings);
        p->priv.rings = NULL;
        return err;
    }
    p->priv.from_user = opts.from->user;
    opts.from->user = p;
    p->priv.state |= PIPELINE_RUNNING | (opts.end ? PIPELINE_END : 0U) | (opts.keep ? PIPELINE_KEEP : 0U);
    return 0;
}

void gy_pipeline_stop(gy_pipeline *p) {
    if (pipeline_is(p, PIPELINE_RUNNING)) pipeline_over(p, GY_ECANCELED);
}

void gy_pipeline_pause(gy_pipeline *p) {
    if (pipeline_is(p, PIPELINE_RUNNING)) p->priv.state |= PIPELINE_PAUSED;
}

void gy_pipeline_resume(gy_pipeline *p) {
    if (!pipeline_is(p, PIPELINE_PAUSED)) return;
    p->priv.state &= ~(unsigned)PIPELINE_PAUSED;
    pipeline_pump(p);
}
