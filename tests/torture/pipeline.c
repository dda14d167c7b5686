/* SPDX-License-Identifier: ISC */
/* What is tortured with pipelines: from one end of a pair to the other end of another, with and without steps, and from
 * files and pipes, whose bytes the kernel moves where it can; and files as streams alone. */
#include "torture.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct drip {
    torture t;
    gy_pipeline p;
    gy_stream source, in, out, sink;
    gy_write w, end;
    gy_transform step, *steps[1];
    gy_file_stream file, copy;
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

static int64_t drip_step(gy_transform *step, gy_buf in, gy_buf out, size_t *taken) {
    (void)step;
    *taken = in.len < out.len ? in.len : out.len;
    if (*taken) memcpy(out.base, in.base, *taken);
    return (int64_t)*taken;
}

static drip *drip_new(torture *t) {
    drip *d = (drip *)t;
    memcpy(d->text, "yes!", sizeof d->text);
    d->source.user = d->in.user = d->out.user = d->sink.user = d->w.user = d->end.user = d->p.user = d;
    d->file.stream.user = d->copy.stream.user = d;
    return d;
}

static void drip_through(torture *t, unsigned count) {
    drip *d = drip_new(t);
    if (!torture_try(t, gy_stream_pair(t->loop, &d->source, &d->in))) return;
    d->open += 2;
    if (!torture_try(t, gy_stream_pair(t->loop, &d->out, &d->sink))) return;
    d->open += 2;
    gy_pipeline_opts opts = {.from = &d->in, .to = &d->out, .end = true, .keep = true, .fn = drip_told};
    d->step.run = drip_step;
    d->steps[0] = &d->step;
    opts.steps = d->steps;
    opts.count = count;
    if (!torture_try(t, gy_pipeline_start(t->loop, &d->p, opts))) return;
    d->running = 1;
    if (!torture_try(t, gy_stream_read(&d->sink, GY_BUF(d->heard), drip_heard))) return;
    if (!torture_try(t, gy_stream_write(&d->source, &d->w, GY_BUF(d->text), drip_wrote))) return;
    torture_try(t, gy_stream_shutdown(&d->source, &d->end, drip_wrote));
}

static void drip_begin(torture *t) { drip_through(t, 0); }
static void drip_begin_steps(torture *t) { drip_through(t, 1); }

/* ---- what the kernel moves --------------------------------------------------------------------------------------- */

/* A descriptor of a file with the text; what is opened here is not the library's. */
static int drip_file(const drip *d) {
    char path[] = "/tmp/gyre-drip-XXXXXX";
    int fd = mkstemp(path);
    CHECK(fd >= 0);
    unlink(path);
    CHECK_EQ(write(fd, d->text, sizeof d->text), sizeof d->text);
    return fd;
}

static bool drip_open_file(drip *d, gy_file_stream *f, int fd) {
    int err = gy_file_stream_open(d->t.loop, f, (gy_file_stream_opts){.fd = fd, .sync = true});
    if (err) close(fd);
    else d->open++;
    return torture_try(&d->t, err);
}

static void drip_begin_file(torture *t) {
    drip *d = drip_new(t);
    if (!torture_try(t, gy_stream_pair(t->loop, &d->out, &d->sink))) return;
    d->open += 2;
    if (!drip_open_file(d, &d->file, drip_file(d))) return;
    gy_pipeline_opts opts = {.from = &d->file.stream, .to = &d->out, .end = true, .keep = true, .fn = drip_told};
    if (!torture_try(t, gy_pipeline_start(t->loop, &d->p, opts))) return;
    d->running = 1;
    torture_try(t, gy_stream_read(&d->sink, GY_BUF(d->heard), drip_heard));
}

static void drip_begin_pipe(torture *t) {
    drip *d = drip_new(t);
    if (!torture_try(t, gy_pipe_pair(t->loop, &d->in, &d->source))) return;
    d->open += 2;
    if (!torture_try(t, gy_stream_pair(t->loop, &d->out, &d->sink))) return;
    d->open += 2;
    gy_pipeline_opts opts = {.from = &d->in, .to = &d->out, .keep = true, .fn = drip_told};
    if (!torture_try(t, gy_pipeline_start(t->loop, &d->p, opts))) return;
    d->running = 1;
    if (!torture_try(t, gy_stream_read(&d->sink, GY_BUF(d->heard), drip_heard))) return;
    if (!torture_try(t, gy_stream_write(&d->source, &d->w, GY_BUF(d->text), drip_wrote))) return;
    torture_try(t, gy_stream_shutdown(&d->source, &d->end, drip_wrote));
}

/* From file to file; the copy is looked at afterwards. */
static void drip_copied(gy_pipeline *p, int err) {
    drip *d = p->user;
    d->running = 0;
    if (torture_try(&d->t, err)) d->t.done = p->written_bytes == sizeof d->text;
}

static void drip_begin_copy(torture *t) {
    drip *d = drip_new(t);
    int fd = drip_file(d);
    if (!drip_open_file(d, &d->file, fd)) return;
    fd = drip_file(d);
    if (!drip_open_file(d, &d->copy, fd)) return;
    gy_stream *from = &d->file.stream, *to = &d->copy.stream;
    gy_pipeline_opts opts = {.from = from, .to = to, .end = true, .keep = true, .fn = drip_copied};
    if (torture_try(t, gy_pipeline_start(t->loop, &d->p, opts))) d->running = 1;
}

/* ---- files as streams -------------------------------------------------------------------------------------------- */

static void drip_synced(gy_write *w, int err) {
    drip *d = w->user;
    if (torture_try(&d->t, err)) d->t.done = ++d->good == 2;
}

static void drip_begin_stream(torture *t) {
    drip *d = drip_new(t);
    if (!drip_open_file(d, &d->file, drip_file(d))) return;
    if (!torture_try(t, gy_stream_read(&d->file.stream, (gy_buf){d->heard, 4}, drip_heard))) return;
    if (!torture_try(t, gy_stream_write(&d->file.stream, &d->w, GY_BUF(d->text), drip_wrote))) return;
    torture_try(t, gy_stream_shutdown(&d->file.stream, &d->end, drip_synced));
}

/* ---- the end ----------------------------------------------------------------------------------------------------- */

/* The streams are closed when the pipeline has let go of them. */
static void drip_end(torture *t) { gy_pipeline_stop(&((drip *)t)->p); }

static bool drip_ended(torture *t) {
    drip *d = (drip *)t;
    gy_stream *all[] = {&d->source, &d->in, &d->out, &d->sink, &d->file.stream, &d->copy.stream};
    for (int i = 0; i < 6 && !d->running; i++) gy_stream_close(all[i], drip_closed);
    return d->open == 0;
}

static void drip_torture(const char *backend, void (*begin)(torture *)) {
    torture_run(backend,
                &(torture_scenario){.size = sizeof(drip), .begin = begin, .end = drip_end, .ended = drip_ended});
}

TEST_BACKENDS(torture, pipelines) { drip_torture(backend, drip_begin); }
TEST_BACKENDS(torture, pipelines_with_steps) { drip_torture(backend, drip_begin_steps); }
TEST_BACKENDS(torture, pipelines_from_files) { drip_torture(backend, drip_begin_file); }
TEST_BACKENDS(torture, pipelines_from_pipes) { drip_torture(backend, drip_begin_pipe); }
TEST_BACKENDS(torture, pipelines_between_files) { drip_torture(backend, drip_begin_copy); }
TEST_BACKENDS(torture, file_streams) { drip_torture(backend, drip_begin_stream); }
