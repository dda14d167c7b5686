/* SPDX-License-Identifier: ISC */
/* What is tortured with pipelines: from one end of a pair to the other end of another. */
#include "torture.h"

#include <string.h>

typedef struct drip {
    torture t;
    gy_pipeline p;
    gy_stream source, in, out, sink;
    gy_write w, end;
    int open, running, good; /* streams; pipelines; how many of two ends were reached */
    char text[4], heard[8];
} drip;

static void drip_closed(gy_stream *s) { ((drip *)s->user)->open--; }
static void drip_wrote(gy_write *w, int err) { torture_try(&((drip *)w->user)->t, err); }

static void drip_heard(gy_stream *s, int err, gy_buf got) {
    drip *d = s->user;
    if (!torture_try(&d->t, err)) return;
    if (got.len != sizeof d->text) torture_try(&d->t, GY_EOF);
    d->t.done = ++d->good == 2;
}

static void drip_told(gy_pipeline *p, int err) {
    drip *d = p->user;
    d->running = 0;
    if (torture_try(&d->t, err)) d->t.done = ++d->good == 2;
}

static void drip_begin(torture *t) {
    drip *d = (drip *)t;
    memcpy(d->text, "yes!", sizeof d->text);
    d->source.user = d->in.user = d->out.user = d->sink.user = d->w.user = d->end.user = d->p.user = d;
    if (!torture_try(t, gy_stream_pair(t->loop, &d->source, &d->in))) return;
    d->open += 2;
    if (!torture_try(t, gy_stream_pair(t->loop, &d->out, &d->sink))) return;
    d->open += 2;
    gy_pipeline_opts opts = {.from = &d->in, .to = &d->out, .end = true, .keep = true, .fn = drip_told};
    if (!torture_try(t, gy_pipeline_start(t->loop, &d->p, opts))) return;
    d->running = 1;
    if (!torture_try(t, gy_stream_read(&d->sink, GY_BUF(d->heard), drip_heard))) return;
    if (!torture_try(t, gy_stream_write(&d->source, &d->w, GY_BUF(d->text), drip_wrote))) return;
    torture_try(t, gy_stream_shutdown(&d->source, &d->end, drip_wrote));
}

/* The streams are closed when the pipeline has let go of them. */
static void drip_end(torture *t) { gy_pipeline_stop(&((drip *)t)->p); }

static bool drip_ended(torture *t) {
    drip *d = (drip *)t;
    gy_stream *all[] = {&d->source, &d->in, &d->out, &d->sink};
    for (int i = 0; i < 4 && !d->running; i++) gy_stream_close(all[i], drip_closed);
    return d->open == 0;
}

TEST_BACKENDS(torture, pipelines) {
    torture_run(backend,
                &(torture_scenario){.size = sizeof(drip), .begin = drip_begin, .end = drip_end, .ended = drip_ended});
}
