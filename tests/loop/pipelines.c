/* SPDX-License-Identifier: ISC */
/* Pipelines: what goes in comes out, at the pace of the reader, and every end closes everything exactly once. */
#include "streams.h"

enum { LINE_SIZE = 300000 };

typedef struct line {
    kit k;
    gy_pipeline p;
    gy_stream source, in, out, sink; /* source -> in | pipeline | out -> sink */
    gy_write w;
    int told, err;
    size_t got;
    bool wrong, upper;
    char data[LINE_SIZE], buf[5000];
} line;

static line ln;

static void line_done(gy_pipeline *p, int err) {
    CHECK(p == &ln.p);
    CHECK(ln.in.user == &ln);
    ln.told++;
    ln.err = err;
}

static void line_wrote(gy_write *w, int err) {
    (void)err;
    (void)w;
}

static char line_byte(size_t at) {
    char c = (char)('a' + at % 23);
    return ln.upper ? (char)(c - 32) : c;
}

static void line_got(gy_stream *s, int err, gy_buf got) {
    for (size_t i = 0; i < got.len; i++) ln.wrong |= ((char *)got.base)[i] != line_byte(ln.got + i);
    ln.got += got.len;
    if (err) gy_stream_close(s, NULL);
    else CHECK_EQ(gy_stream_read(s, GY_BUF(ln.buf), line_got), 0);
}

static void line_open(const char *backend) {
    memset(&ln, 0, sizeof ln);
    for (size_t i = 0; i < LINE_SIZE; i++) ln.data[i] = line_byte(i);
    kit_open(&ln.k, backend);
    CHECK_EQ(gy_stream_pair(ln.k.loop, &ln.source, &ln.in), 0);
    CHECK_EQ(gy_stream_pair(ln.k.loop, &ln.out, &ln.sink), 0);
    ln.in.user = &ln;
}

static void line_feed(void) {
    CHECK_EQ(gy_stream_write(&ln.source, &ln.w, GY_BUF(ln.data), line_wrote), 0);
    static gy_write end;
    end = (gy_write){0};
    CHECK_EQ(gy_stream_shutdown(&ln.source, &end, line_wrote), 0);
}

static int line_start(gy_pipeline_opts opts) {
    opts.from = &ln.in;
    opts.to = &ln.out;
    opts.fn = line_done;
    return gy_pipeline_start(ln.k.loop, &ln.p, opts);
}

static void line_end(int err) {
    gy_stream_close(&ln.source, NULL);
    gy_stream_close(&ln.sink, NULL);
    kit_run(&ln.k);
    CHECK_EQ(ln.told, 1);
    CHECK_EQ(ln.err, err);
    CHECK(!gy_stream_is_open(&ln.in));
    CHECK(!gy_stream_is_open(&ln.out));
    CHECK(!ln.wrong);
    kit_close(&ln.k);
}

TEST_BACKENDS(pipelines, everything_arrives) {
    line_open(backend);
    line_feed();
    CHECK_EQ(line_start((gy_pipeline_opts){.high_water = 1000, .end = true}), 0);
    CHECK_EQ(gy_stream_read(&ln.sink, GY_BUF(ln.buf), line_got), 0);
    kit_until(&ln.k, &ln.told, 1);
    CHECK_EQ(ln.p.read_bytes, LINE_SIZE);
    CHECK_EQ(ln.p.written_bytes, LINE_SIZE);
    gy_stream_close(&ln.source, NULL);
    kit_run(&ln.k);
    CHECK_EQ(ln.got, LINE_SIZE);
    line_end(0);
}

/* Odd pieces: at most three bytes of output at a time, and never less than two of room. */
static int64_t line_upper(gy_transform *t, gy_buf in, gy_buf out, size_t *taken) {
    (void)t;
    size_t n = in.len < 3 ? in.len : 3;
    if (n && out.len < 3) return GY_TRANSFORM_ROOM;
    for (size_t i = 0; i < n; i++) ((char *)out.base)[i] = (char)(((char *)in.base)[i] - 32);
    *taken = n;
    return (int64_t)n;
}

/* Takes and keeps a byte, and gives it with the next call. */
static int64_t line_late(gy_transform *t, gy_buf in, gy_buf out, size_t *taken) {
    char *kept = t->user;
    int64_t n = kept[0] ? 1 : 0;
    if (n) ((char *)out.base)[0] = kept[0];
    kept[0] = in.len ? ((char *)in.base)[0] : 0;
    *taken = in.len ? 1 : 0;
    return n;
}

TEST_BACKENDS(pipelines, steps_change_what_passes) {
    char kept[1] = {0};
    gy_transform upper = {NULL, line_upper}, late = {kept, line_late}, *steps[] = {&upper, &late};
    line_open(backend);
    line_feed();
    ln.upper = true;
    CHECK_EQ(line_start((gy_pipeline_opts){.steps = steps, .count = 2, .high_water = 3001}), 0);
    CHECK_EQ(gy_stream_read(&ln.sink, GY_BUF(ln.buf), line_got), 0);
    kit_until(&ln.k, &ln.told, 1);
    gy_stream_close(&ln.source, NULL);
    kit_run(&ln.k);
    CHECK_EQ(ln.got, LINE_SIZE);
    line_end(0);
}

static int64_t line_resumes(gy_transform *t, gy_buf in, gy_buf out, size_t *taken) {
    (void)t;
    size_t n = in.len < out.len ? in.len : out.len;
    gy_pipeline_pause(&ln.p);
    gy_pipeline_resume(&ln.p);
    memcpy(out.base, in.base, n);
    *taken = n;
    return (int64_t)n;
}

TEST_BACKENDS(pipelines, a_step_may_pause_and_resume) {
    gy_transform one = {NULL, line_resumes}, two = {NULL, line_resumes}, *steps[] = {&one, &two};
    line_open(backend);
    line_feed();
    CHECK_EQ(line_start((gy_pipeline_opts){.steps = steps, .count = 2, .high_water = 3001}), 0);
    CHECK_EQ(gy_stream_read(&ln.sink, GY_BUF(ln.buf), line_got), 0);
    kit_until(&ln.k, &ln.told, 1);
    CHECK_EQ(ln.p.written_bytes, LINE_SIZE);
    gy_stream_close(&ln.source, NULL);
    kit_run(&ln.k);
    CHECK_EQ(ln.got, LINE_SIZE);
    line_end(0);
}

TEST_BACKENDS(pipelines, a_slow_reader_stops_the_source) {
    line_open(backend);
    line_feed();
    CHECK_EQ(line_start((gy_pipeline_opts){.high_water = 2000}), 0);
    unsigned made = ln.k.made;
    kit_turns(&ln.k, 2000);
    CHECK_EQ(ln.told, 0);
    CHECK(ln.p.read_bytes < LINE_SIZE);
    CHECK(ln.p.read_bytes - ln.p.written_bytes <= 2000);
    CHECK_EQ(ln.k.made, made);
    CHECK_EQ(gy_stream_read(&ln.sink, GY_BUF(ln.buf), line_got), 0);
    kit_until(&ln.k, &ln.told, 1);
    gy_stream_close(&ln.source, NULL);
    kit_run(&ln.k);
    CHECK_EQ(ln.got, LINE_SIZE);
    line_end(0);
}

static int64_t line_stuck(gy_transform *t, gy_buf in, gy_buf out, size_t *taken) {
    (void)in, (void)out, (void)taken;
    return *(int *)t->user;
}

TEST_BACKENDS(pipelines, a_step_that_fails_ends_all) {
    int answers[][2] = {{-EPROTO, -EPROTO}, {0, GY_TRANSFORM_ROOM}, {GY_TRANSFORM_ROOM, GY_TRANSFORM_ROOM},
                        {1 << 20, -EINVAL}};
    for (int i = 0; i < 4; i++) {
        gy_transform stuck = {&answers[i][0], line_stuck}, *steps[] = {&stuck};
        line_open(backend);
        line_feed();
        CHECK_EQ(line_start((gy_pipeline_opts){.steps = steps, .count = 1}), 0);
        kit_until(&ln.k, &ln.told, 1);
        line_end(answers[i][1]);
    }
}

TEST_BACKENDS(pipelines, a_destination_that_fails_ends_all) {
    line_open(backend);
    line_feed();
    CHECK_EQ(line_start((gy_pipeline_opts){.high_water = 2000}), 0);
    gy_stream_close(&ln.sink, NULL);
    kit_until(&ln.k, &ln.told, 1);
    CHECK(ln.err < 0);
    line_end(ln.err);
}

TEST_BACKENDS(pipelines, a_source_that_fails_ends_all) {
    line_open(backend);
    CHECK_EQ(line_start((gy_pipeline_opts){0}), 0);
    kit_turns(&ln.k, 3);
    gy_stream_cancel(&ln.in, GY_STREAM_READ, -ETIMEDOUT);
    kit_until(&ln.k, &ln.told, 1);
    line_end(-ETIMEDOUT);
}

TEST_BACKENDS(pipelines, stopping_closes_once_and_tells_later) {
    for (int turns = 0; turns < 6; turns++) {
        line_open(backend);
        line_feed();
        CHECK_EQ(line_start((gy_pipeline_opts){.high_water = 2000}), 0);
        kit_turns(&ln.k, turns);
        gy_pipeline_stop(&ln.p);
        CHECK_EQ(ln.told, 0);
        kit_until(&ln.k, &ln.told, 1);
        line_end(GY_ECANCELED);
    }
}

TEST_BACKENDS(pipelines, paused_and_kept_open) {
    line_open(backend);
    CHECK_EQ(line_start((gy_pipeline_opts){.keep = true}), 0);
    gy_pipeline_pause(&ln.p);
    CHECK_EQ(gy_stream_write(&ln.source, &ln.w, (gy_buf){ln.data, 10}, line_wrote), 0);
    kit_turns(&ln.k, 10);
    CHECK_EQ(ln.p.written_bytes, 10); /* the read that was pending */
    CHECK_EQ(gy_stream_write(&ln.source, &ln.w, (gy_buf){ln.data + 10, 10}, line_wrote), 0);
    kit_turns(&ln.k, 10);
    CHECK_EQ(ln.p.read_bytes, 10);
    gy_pipeline_resume(&ln.p);
    kit_turns(&ln.k, 10);
    CHECK_EQ(ln.p.written_bytes, 20);
    gy_pipeline_stop(&ln.p);
    kit_until(&ln.k, &ln.told, 1);
    CHECK(gy_stream_is_open(&ln.in));
    CHECK(gy_stream_is_open(&ln.out));
    gy_stream_close(&ln.in, NULL);
    gy_stream_close(&ln.out, NULL);
    gy_stream_close(&ln.sink, NULL);
    line_end(GY_ECANCELED);
}

TEST_BACKENDS(pipelines, from_file_to_socket) {
    gy_file_stream f = {0};
    char path[] = "/tmp/gyre-line-XXXXXX";
    line_open(backend);
    int fd = mkstemp(path);
    CHECK(fd >= 0);
    unlink(path);
    CHECK_EQ(write(fd, ln.data, LINE_SIZE), LINE_SIZE);
    CHECK_EQ(gy_file_stream_open(ln.k.loop, &f, (gy_file_stream_opts){.fd = fd, .ways = GY_FILE_READ}), 0);
    gy_pipeline_opts opts = {.from = &f.stream, .to = &ln.out, .fn = line_done};
    CHECK_EQ(gy_pipeline_start(ln.k.loop, &ln.p, opts), 0);
    CHECK_EQ(gy_stream_read(&ln.sink, GY_BUF(ln.buf), line_got), 0);
    gy_stream_close(&ln.in, NULL);
    kit_until(&ln.k, &ln.told, 1);
    gy_stream_close(&ln.source, NULL);
    kit_run(&ln.k);
    CHECK_EQ(ln.got, LINE_SIZE);
    CHECK(!gy_stream_is_open(&f.stream));
    line_end(0);
}
